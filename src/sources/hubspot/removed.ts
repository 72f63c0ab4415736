/** Companies archived, and those merged into others. */

import type { Removal, RemovedPage } from "../../core/row-source.ts";
import type { HubspotClient } from "./client.ts";
import { listArchived } from "./list.ts";
import { listMerges } from "./merges.ts";

/** Cursors: `archived` or `merged`, and the place after it. */
const CURSOR = /^(archived|merged):(.*)$/s;

/** The list of archived companies is in no order of time: it is read whole each time. */
export async function* removedCompanies(
  client: HubspotClient,
  since: number | null,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<RemovedPage> {
  const [, list = "archived", place = ""] = CURSOR.exec(after ?? "") ?? [];
  const from = place === "" ? null : place;
  if (list === "archived") {
    for await (const { rows, next, at } of listArchived(client, from, signal)) {
      const removals = rows.map(({ id, archivedAt }) => archivedRemoval(id, archivedAt));
      yield { removals, after: next === null ? "merged:" : `archived:${next}`, readAt: at };
    }
  }
  const merged = { since, from: list === "merged" ? from : null };
  for await (const { merges, last, at } of listMerges(client, merged, signal)) {
    yield { removals: merges.map(mergedRemoval), after: `merged:${last ?? merged.from ?? ""}`, readAt: at };
  }
}

export function archivedRemoval(id: string, archivedAt: number | undefined): Removal {
  return { id, state: "archived", at: archivedAt ?? null, into: null };
}

export function mergedRemoval({ id, into }: { readonly id: string; readonly into: string }): Removal {
  return { id, state: "merged", at: null, into };
}
