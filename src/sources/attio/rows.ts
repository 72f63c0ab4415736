/** Companies of Attio, or the records of another object. It does not say when a record was modified: all are read, and compared. */

import { positionFrom } from "../../core/page-walk.ts";
import type { Fate, RowBeginning, RowPage, RowSource } from "../../core/row-source.ts";
import { answeredAt, readAnswer } from "../../platform/api-answer.ts";
import { type AttioConnection, createAttioClient, PEER } from "./client.ts";
import { offsetPages, offsetPosition } from "./offset-walk.ts";
import { oneShape, recordsShape } from "./shapes.ts";
import { rowOf } from "./values.ts";

export interface AttioOptions extends AttioConnection {
  /** Slug: `companies`. */
  readonly object: string;
  readonly rowsAtOnce: number;
  /** Slug of an attribute whose order lasts while records are added; null: the order in which Attio gives them. */
  readonly sortBy: string | null;
  /** Asks for each record that vanished: one merged into another may be answered with that. Else all are gone. */
  readonly asksForVanished: boolean;
}

const TRAITS = { lagMs: 0, overlapMs: 0, settledMs: null, fatesAtOnce: 20 };

export function createAttioRows(options: AttioOptions): RowSource {
  const { object, rowsAtOnce, sortBy, asksForVanished, clock } = options;
  const client = createAttioClient(options);
  const records = `/v2/objects/${object}/records`;
  const sorts = sortBy === null ? [] : [{ attribute: sortBy, direction: "asc" }];

  async function list(offset: number, limit: number, signal: AbortSignal) {
    const body = { filter: {}, sorts, limit, offset };
    const answer = await client.ask({ method: "POST", path: `${records}/query`, body }, signal);
    const { data } = readAnswer(answer, recordsShape, `${PEER}, POST ${records}/query`);
    return { rows: data.map(rowOf), readAt: answeredAt(answer, clock) };
  }

  async function begin(signal: AbortSignal): Promise<RowBeginning> {
    const { readAt } = await list(0, 1, signal);
    return { at: readAt, warnings: [] };
  }

  async function* all(after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    const from = positionFrom(after, offsetPosition, { offset: 0, tail: [] });
    const at = (offset: number) => list(offset, rowsAtOnce, signal);
    for await (const { after: reached, ...page } of offsetPages(at, { from, rowsAtOnce, signal })) {
      yield { ...page, after: JSON.stringify(reached) };
    }
  }

  async function fates(ids: readonly string[], signal: AbortSignal): Promise<readonly Fate[]> {
    const told: Fate[] = [];
    for (const id of ids) {
      const fate = await fateOf(id, signal);
      if (fate) told.push(fate);
    }
    return told;
  }

  async function fateOf(id: string, signal: AbortSignal): Promise<Fate | null> {
    const path = `${records}/${encodeURIComponent(id)}`;
    const answer = await client.ask({ method: "GET", path, understands: [404] }, signal);
    if (answer.status === 404) return null;
    const row = rowOf(readAnswer(answer, oneShape, `${PEER}, GET ${records}/…`).data);
    if (row.id === id) return { id, state: "live", row, readAt: answeredAt(answer, clock) };
    return { id, state: "merged", at: null, into: row.id };
  }

  return {
    traits: TRAITS,
    begin,
    all,
    changed: null,
    removed: null,
    fates: asksForVanished ? fates : null,
    requests: client.requests,
    close: client.close,
  };
}
