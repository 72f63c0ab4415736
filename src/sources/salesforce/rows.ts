/** Accounts of Salesforce, or the rows of another object. */

import * as z from "zod";
import { PrickleError } from "../../core/errors.ts";
import { positionFrom, unlessAborted } from "../../core/page-walk.ts";
import type { Fate, Removal, RemovedPage, RowBeginning, RowPage, RowSource, RowWindow } from "../../core/row-source.ts";
import { answeredAt, readAnswer } from "../../platform/api-answer.ts";
import { bulkPages, bulkPosition } from "./bulk.ts";
import { createSalesforceClient, PEER, type SalesforceConnection } from "./client.ts";
import { type FieldTypes, retyped, typesOf } from "./fields.ts";
import { type Query, queryPages } from "./query.ts";
import { countShape, objectShape, recordsShape, removedShape, type SalesforceRecord } from "./shapes.ts";
import { type AfterRow, bulkQuery, changedQuery, countQuery, liveQuery, ofIdsQuery, removedQuery } from "./soql.ts";
import { rowOf } from "./values.ts";

export interface SalesforceOptions extends SalesforceConnection {
  readonly object: string;
  /** Names of the API. */
  readonly fields: readonly string[];
  /** Rows from which on all of them are read by a bulk query; null: never. */
  readonly bulkFrom: number | null;
}

const MINUTE_MS = 60_000;
const TRAITS = { lagMs: 0, overlapMs: 10 * MINUTE_MS, settledMs: 60 * MINUTE_MS, fatesAtOnce: 100 };
const BULK_ROWS = 5_000;

const allPosition = z.union([z.strictObject({ id: z.string().nullable() }), bulkPosition]);
const inTime = z.strictObject({ at: z.int(), id: z.string() }).nullable();

export function createSalesforceRows(options: SalesforceOptions): RowSource {
  const { object, fields, bulkFrom, clock } = options;
  const client = createSalesforceClient(options);
  const now = () => clock.now();
  let known: { readonly types: FieldTypes; readonly tellsMerges: boolean } | null = null;

  async function begin(signal: AbortSignal, remembered: string | null): Promise<RowBeginning> {
    const answer = await client.ask({ method: "GET", path: `/sobjects/${object}/describe` }, signal);
    const { fields: described } = readAnswer(answer, objectShape, `${PEER}, GET /sobjects/${object}/describe`);
    const types = typesOf(fields, object, described);
    known = { types, tellsMerges: described.some(({ name }) => name === "MasterRecordId") };
    const warnings = retyped(remembered === null ? null : JSON.parse(remembered), types);
    const at = answeredAt(answer, clock);
    return { at, warnings, remembers: JSON.stringify(types), saysOtherwise: warnings.length > 0 };
  }

  function begun() {
    if (!known) throw new PrickleError("INTERNAL", "Salesforce was asked before it was described.");
    return known;
  }

  const read = () => [...new Set(["Id", "SystemModstamp", ...fields])];
  const live = { client, now, resource: "query", shape: recordsShape.shape.records.element } as const;

  async function* all(after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    const position = positionFrom(after, allPosition, { id: null });
    const { types } = begun();
    const bulk = { client, clock, types, soql: bulkQuery(read(), object), rowsAtOnce: BULK_ROWS };
    if ("job" in position) return yield* bulkPages(bulk, position, signal);
    if (position.id === null && bulkFrom !== null) {
      const total = await unlessAborted(count(signal), signal);
      if (total === null) return;
      if (total >= bulkFrom) return yield* bulkPages(bulk, null, signal);
    }
    const soql = (id: string | null) => liveQuery(read(), object, id);
    const query = { ...live, soql, positionOf: ({ Id }: SalesforceRecord) => Id };
    for await (const { records, readAt } of queryPages(query, position.id, signal)) {
      const id = records.at(-1)?.Id ?? position.id;
      yield { rows: records.map((one) => rowOf(one, types)), after: JSON.stringify({ id }), readAt };
    }
  }

  async function* changed(window: RowWindow, after: string | null, signal: AbortSignal): AsyncGenerator<RowPage> {
    const from = positionFrom(after, inTime, null);
    const soql = (position: AfterRow | null) => changedQuery(read(), object, window, position);
    const query = { ...live, soql, positionOf: placeOf };
    for await (const { records, readAt, total } of queryPages(query, from, signal)) {
      const reached = JSON.stringify(reachedBy(records, from));
      const rows = records.map((one) => rowOf(one, begun().types));
      yield { rows, after: reached, readAt, ...(from === null ? { expected: total } : {}) };
    }
  }

  async function* removed(
    since: number | null,
    after: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<RemovedPage> {
    const from = positionFrom(after, inTime, null);
    const soql = (position: AfterRow | null) => removedQuery(removalFields(), object, since, position);
    for await (const { records, readAt } of queryPages(inBin(soql), from, signal)) {
      const reached = JSON.stringify(reachedBy(records, from));
      yield { removals: records.map(removalOf), after: reached, readAt };
    }
  }

  async function fates(ids: readonly string[], signal: AbortSignal): Promise<readonly Fate[]> {
    const removals: Removal[] = [];
    const there: string[] = [];
    for await (const { records } of queryPages(
      inBin(() => ofIdsQuery(removalFields(), object, ids)),
      null,
      signal,
    )) {
      for (const one of records) if (one.IsDeleted) removals.push(removalOf(one));
      there.push(...records.flatMap(({ Id, IsDeleted }) => (IsDeleted ? [] : [Id])));
    }
    const back = there.length === 0 ? [] : await current(there, signal);
    signal.throwIfAborted();
    return [...removals, ...back];
  }

  async function current(ids: readonly string[], signal: AbortSignal): Promise<readonly Fate[]> {
    const found: Fate[] = [];
    const query = { ...live, soql: () => ofIdsQuery(read(), object, ids), positionOf: placeOf };
    for await (const { records, readAt } of queryPages(query, null, signal)) {
      for (const one of records) {
        found.push({ id: one.Id, state: "live", row: rowOf(one, begun().types), readAt });
      }
    }
    return found;
  }

  async function count(signal: AbortSignal): Promise<number> {
    const path = `/query?q=${encodeURIComponent(countQuery(object))}`;
    const answer = await client.ask({ method: "GET", path }, signal);
    return readAnswer(answer, countShape, `${PEER}, GET /query`).totalSize;
  }

  const inBin = (soql: (position: AfterRow | null) => string): Query<SalesforceRemoval, AfterRow> => ({
    ...{ client, now, resource: "queryAll", soql, shape: removedShape, positionOf: placeOf },
  });
  const removalFields = () => ["Id", "SystemModstamp", "IsDeleted", ...(begun().tellsMerges ? ["MasterRecordId"] : [])];

  return { traits: TRAITS, begin, all, changed, removed, fates, requests: client.requests, close: client.close };
}

type SalesforceRemoval = z.output<typeof removedShape>;

function placeOf({ Id, SystemModstamp }: { readonly Id: string; readonly SystemModstamp: string }): AfterRow {
  return { at: Date.parse(SystemModstamp), id: Id };
}

function reachedBy(records: readonly Parameters<typeof placeOf>[0][], before: AfterRow | null): AfterRow | null {
  const last = records.at(-1);
  return last ? placeOf(last) : before;
}

/** Those in the recycle bin can be restored; the loser of a merge names its winner. */
function removalOf({ Id: id, SystemModstamp, MasterRecordId }: SalesforceRemoval): Removal {
  const at = Date.parse(SystemModstamp);
  if (typeof MasterRecordId === "string") return { id, state: "merged", at, into: MasterRecordId };
  return { id, state: "archived", at, into: null };
}
