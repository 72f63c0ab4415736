/** The rows of a page of an export as the API gives them: those that are trusted, and the others from the API itself. */

import type { BatchRead } from "../batch-read.ts";
import type { WireRow } from "../wire.ts";
import type { ExportFilePage } from "./read-export.ts";
import type { Trust } from "./trust.ts";

/** In the order of the export. Those that the API does not have any more are left out. */
export async function believedRows(
  { rows, broken }: ExportFilePage,
  { trust, readLive }: { readonly trust: Trust; readonly readLive: BatchRead },
  signal: AbortSignal,
): Promise<readonly WireRow[]> {
  const twice = idsTwice(rows.map(({ id }) => id));
  const sampled = await readLive(trust.sample(rows), signal);
  const live = new Map(sampled.rows.map((row) => [row.id, row]));
  trust.learn(rows, live);
  const believed = new Map(
    rows.flatMap((row) => {
      const wire = live.has(row.id) || twice.has(row.id) ? null : trust.asWire(row);
      return wire ? [[row.id, wire] as const] : [];
    }),
  );
  const ids = [...new Set([...rows, ...broken].flatMap(({ id }) => id ?? []))];
  const others = await readLive(
    ids.filter((id) => !live.has(id) && !believed.has(id)),
    signal,
  );
  for (const row of others.rows) live.set(row.id, row);
  return ids.flatMap((id) => live.get(id) ?? believed.get(id) ?? []);
}

function idsTwice(ids: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(ids.filter((id) => seen.has(id) || !seen.add(id)));
}
