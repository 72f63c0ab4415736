/** Which company others were merged into: the one merged away vanishes, and only the one that stays tells (facts: HubSpot, 8). */

import { PrickleError } from "../../core/errors.ts";
import type { HubspotClient } from "./client.ts";
import { MERGED_IDS, mergedIdsOf } from "./company.ts";
import { createIdOrder } from "./id-order.ts";
import { type SearchFilter, searchAfter } from "./search.ts";

export interface Merge {
  readonly id: string;
  readonly into: string;
}

export interface MergePage {
  readonly merges: readonly Merge[];
  /** The last company of the page; null: there are no more. */
  readonly last: string | null;
  readonly at: number;
}

const FIRST = "0";
const HAS_MERGED: SearchFilter = { propertyName: MERGED_IDS, operator: "HAS_PROPERTY" };

/** `since`: of companies modified from then on, ms UTC; null: of all. */
export async function* listMerges(
  client: HubspotClient,
  { since, from }: { readonly since: number | null; readonly from: string | null },
  signal: AbortSignal,
): AsyncGenerator<MergePage> {
  const recent: SearchFilter[] =
    since === null
      ? []
      : [{ propertyName: "hs_lastmodifieddate", operator: "GTE", value: String(Math.max(1000, since)) }];
  const query = { filters: [HAS_MERGED, ...recent], names: [MERGED_IDS] };
  const order = createIdOrder(from ?? FIRST);
  for (let last = from ?? FIRST; ; ) {
    const page = await searchAfter(client, query, last, signal);
    if (!order.keeps(page.rows.map(({ id }) => id))) throw unordered();
    last = page.rows.at(-1)?.id ?? last;
    const merges = page.rows.flatMap(({ id, properties }) =>
      mergedIdsOf(id, properties).map((merged) => ({ id: merged, into: id })),
    );
    yield { merges, last: page.hasMore ? last : null, at: page.at };
    if (!page.hasMore) return;
  }
}

/** By the id that was merged away. */
export async function mapMerges(client: HubspotClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const into = new Map<string, string>();
  for await (const { merges } of listMerges(client, { since: null, from: null }, signal)) {
    for (const merge of merges) into.set(merge.id, merge.into);
  }
  return into;
}

function unordered(): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", "HubSpot's search gives merged companies in no order of their ids.", {
    hint: "The next sync tries again.",
  });
}
