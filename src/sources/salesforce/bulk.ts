/** All rows by a query job of Bulk API 2.0: one job, its CSV part by part. Its results stay for 7 days, so a resumed run goes on in them. */

import papaparse from "papaparse";
import * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { type Step, walkPages } from "../../core/page-walk.ts";
import type { RowPage } from "../../core/row-source.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { excerpt, readAnswer } from "../../platform/api-answer.ts";
import { PEER, type SalesforceClient } from "./client.ts";
import type { FieldTypes } from "./fields.ts";
import { jobShape, recordsShape } from "./shapes.ts";
import { recordOfCells, rowOf } from "./values.ts";

export const bulkPosition = z.strictObject({
  job: z.string(),
  /** When the job was made, ms UTC: what its rows say was true then. */
  at: z.int(),
  isComplete: z.boolean(),
  /** Null: from the first part. */
  locator: z.string().nullable(),
  /** As the first part names them. */
  columns: z.array(z.string()),
});
export type BulkPosition = z.output<typeof bulkPosition>;

export interface BulkRead {
  readonly client: SalesforceClient;
  readonly clock: Clock;
  readonly soql: string;
  readonly types: FieldTypes;
  readonly rowsAtOnce: number;
}

const POLL_MS = 5_000;
const GONE = [404];

/** From `start` on (null: a new job). A job that is gone is made again. */
export function bulkPages(read: BulkRead, start: BulkPosition | null, signal: AbortSignal): AsyncGenerator<RowPage> {
  return walkPages<BulkPosition | "new", RowPage>(
    start ?? "new",
    (position) => {
      if (position === "new") return begin(read, signal);
      return position.isComplete ? results(read, position, signal) : poll(read, position, signal);
    },
    signal,
  );
}

type BulkStep = Step<BulkPosition | "new", RowPage>;

async function begin({ client, clock, soql }: BulkRead, signal: AbortSignal): Promise<BulkStep> {
  const body = { operation: "query", query: soql };
  const answer = await client.ask({ method: "POST", path: "/jobs/query", body }, signal);
  const { id, createdDate } = readAnswer(answer, jobShape, `${PEER}, POST /jobs/query`);
  const at = createdDate === undefined ? clock.now() : Date.parse(createdDate);
  const next = { job: id, at, isComplete: false, locator: null, columns: [] };
  return { page: { rows: [], after: JSON.stringify(next), readAt: at }, next };
}

async function poll({ client, clock }: BulkRead, position: BulkPosition, signal: AbortSignal): Promise<BulkStep> {
  const path = `/jobs/query/${position.job}`;
  const answer = await client.ask({ method: "GET", path, understands: GONE }, signal);
  if (answer.status === 404) return { page: null, next: "new" };
  const { state, errorMessage } = readAnswer(answer, jobShape, `${PEER}, GET /jobs/query/…`);
  if (state === "JobComplete") return { page: null, next: { ...position, isComplete: true } };
  if (state === "Failed" || state === "Aborted") throw failed(state, errorMessage ?? "");
  await clock.sleep(POLL_MS, signal);
  return { page: null, next: position };
}

async function results(read: BulkRead, position: BulkPosition, signal: AbortSignal): Promise<BulkStep> {
  const { job, at, locator } = position;
  const from = locator === null ? "" : `&locator=${encodeURIComponent(locator)}`;
  const path = `/jobs/query/${job}/results?maxRecords=${read.rowsAtOnce}${from}`;
  const headers = { accept: "text/csv" };
  const answer = await read.client.ask({ method: "GET", path, headers, understands: GONE }, signal);
  if (answer.status === 404) return { page: null, next: "new" };
  const { columns, records } = recordsIn(answer.body, position.columns, read.types);
  const said = answer.headers["sforce-numberofrecords"];
  if (said !== undefined && Number(said) !== records.length) throw cutShort(records.length, said);
  const nextLocator = answer.headers["sforce-locator"] ?? "null";
  const isOver = nextLocator === "null" || nextLocator === "";
  const next = { ...position, locator: isOver ? locator : nextLocator, columns: [...columns] };
  const page = { rows: records.map((one) => rowOf(one, read.types)), after: JSON.stringify(next), readAt: at };
  return { page, next: isOver ? null : next };
}

/** Each part may begin with the names of the columns, or only the first. */
function recordsIn(csv: string, known: readonly string[], types: FieldTypes) {
  // Guessed, it would be that of a text with line ends of its own.
  const newline = /^[^\n]*\r\n/.test(csv) ? "\r\n" : "\n";
  const { data, errors } = papaparse.parse<string[]>(csv, { newline, delimiter: ",", skipEmptyLines: true });
  const [first = [], ...rest] = data;
  const isHeader = first.includes("Id");
  const columns = isHeader ? first : known;
  const lines = isHeader ? rest : data;
  const said = lines.map((cells) => recordOfCells(columns, cells, types));
  const parsed = parseSafely(recordsShape.shape.records, said);
  if (!parsed.success || errors.length > 0) {
    const why = parsed.success ? errors[0]?.message : parsed.issues[0]?.message;
    throw unreadable(why ?? "unreadable");
  }
  return { columns, records: parsed.data };
}

function failed(state: string, why: string): PrickleError {
  return new PrickleError("SOURCE_UNAVAILABLE", `Salesforce's bulk query ended as ${state}: ${excerpt(why)}.`, {
    hint: "It is made again with the next sync; `bulkFrom: null` of the source reads without bulk queries.",
  });
}

function cutShort(found: number, said: string): PrickleError {
  const message = `Salesforce said ${excerpt(said)} rows of a bulk query, and gave ${found}.`;
  return new PrickleError("SOURCE_UNAVAILABLE", message, { hint: "The next sync asks again." });
}

function unreadable(why: string): PrickleError {
  const message = `Salesforce's bulk query gave no readable CSV: ${excerpt(why)}.`;
  return new PrickleError("SOURCE_UNAVAILABLE", message, { hint: "The next sync asks again." });
}
