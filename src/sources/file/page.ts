/** Gathers lines into pages. */

import { type JsonValue, jsonErrorPlace } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { Page } from "../../core/source.ts";
import { type FileCursor, formatCursor } from "./cursor.ts";
import type { Line } from "./lines.ts";

export interface PageOptions {
  readonly path: string;
  readonly source: string;
  /** Of all records, ms UTC. */
  readonly receivedAt: number;
  /** What a parsed line means: for Segment's raw logs `readLoggedCall`. Must not throw. */
  readonly readLine: ReadLine;
  readonly pageRecords: number;
  readonly maxLineBytes: number;
}

type ReadLine = (value: JsonValue, line: LineContext) => SourceRecord | Rejection;

interface LineContext {
  readonly source: string;
  readonly receivedAt: number;
  /** File and line: tells apart lines that are alike. */
  readonly position: string;
}

export interface PageBuilder {
  /** True when the page is full. */
  add(line: Line): boolean;
  readonly filled: boolean;
  /** What was gathered since the last page. `bytes`: of the file, read so far. */
  take(bytes: number, totalBytes: number): Page;
}

/** A page of large records ends early. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const BYTE_ORDER_MARK = "\ufeff";

export function createPageBuilder(start: FileCursor, options: PageOptions): PageBuilder {
  let { lines, records: seen, offset } = start;
  let pageOffset = offset;
  let records: SourceRecord[] = [];
  let rejections: Rejection[] = [];

  return {
    add(line) {
      lines++;
      offset += line.length;
      const outcome = interpret(line, lines, options);
      if (outcome === null) return false;
      seen++;
      if ("reason" in outcome) rejections.push(outcome);
      else records.push(outcome);
      return records.length + rejections.length >= options.pageRecords || offset - pageOffset >= MAX_PAGE_BYTES;
    },
    get filled() {
      return records.length + rejections.length > 0;
    },
    take(bytes, totalBytes) {
      const cursor = formatCursor({ ...start, lines, records: seen, offset });
      const page = { records, rejections, cursor, progress: { records: seen, bytes, totalBytes } };
      records = [];
      rejections = [];
      pageOffset = offset;
      return page;
    },
  };
}

/** Null for a blank line. */
function interpret({ text, length }: Line, number: number, options: PageOptions): SourceRecord | Rejection | null {
  const { path, source, receivedAt, maxLineBytes } = options;
  const position = `${path}:${number}`;
  if (text === null) {
    const detail = `${position}: the line has ${length} bytes; ${maxLineBytes} are allowed.`;
    return { source, recordId: null, reason: "call_too_large", detail, receivedAt, payload: null };
  }
  const json = number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  if (isBlank(json)) return null;
  let value: JsonValue;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    const detail = `${position}: the line is not JSON: ${jsonErrorPlace(cause)}.`;
    return { source, recordId: null, reason: "not_a_call", detail, receivedAt, payload: text };
  }
  const outcome = options.readLine(value, { source, receivedAt, position });
  return "reason" in outcome ? { ...outcome, detail: `${position}: ${outcome.detail}` } : outcome;
}

const OPEN_OBJECT = 0x7b;

function isBlank(json: string): boolean {
  return json.charCodeAt(0) !== OPEN_OBJECT && json.trim() === "";
}
