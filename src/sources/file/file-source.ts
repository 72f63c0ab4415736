/** The file source: JSON lines, plain or gzip, read with flat memory and resumable at any page. */

import type { JsonValue } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { PullSource } from "../../core/source.ts";

export interface FileSourceOptions {
  readonly path: string;
  readonly source: string;
  /** Of all its records, ms UTC: when the reading began. */
  readonly receivedAt: number;
  /** What a line means: for Segment's raw logs `readLoggedCall`. */
  readonly readLine: ReadLine;
  /** Default 1,000. */
  readonly pageRecords?: number;
  /** Default 1 MB; a longer line becomes a rejection. */
  readonly maxLineBytes?: number;
}

export type ReadLine = (value: JsonValue, line: LineContext) => SourceRecord | Rejection;

export interface LineContext {
  readonly source: string;
  readonly receivedAt: number;
  /** Where the line stands. */
  readonly position: string;
}

export function createFileSource(_options: FileSourceOptions): PullSource {
  throw new Error("not yet");
}
