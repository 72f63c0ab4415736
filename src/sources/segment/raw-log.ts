/** A line of Segment's raw logs: one full call, as Segment's edge left it. Source: facts on Segment, 9. */

import type { JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import { readCall } from "./call.ts";

export interface LogLine {
  readonly source: string;
  readonly receivedAt: number;
  /** Where the line stands: tells apart lines that state neither an id nor a time. */
  readonly position: string;
}

/**
 * The record of a line. Its times are taken as corrected; `statedAt` is `originalTimestamp`, where Segment keeps what
 * the client sent as `timestamp`: so a call has the same recordUuid whether it came over HTTP or from the log.
 */
export function readLoggedCall(value: JsonValue, { source, receivedAt, position }: LogLine): SourceRecord | Rejection {
  return readCall(value, { source, receivedAt, position, sentAt: null, maxBytes: Number.POSITIVE_INFINITY });
}
