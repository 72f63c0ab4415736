/** What the lines of a page of JSON say: records and rejections. */

import { type JsonValue, jsonErrorPlace } from "../../core/json.ts";
import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { RawPage } from "../../platform/files/slicer.ts";

export interface ReadLineOptions {
  readonly path: string;
  readonly source: string;
  /** Of all records, ms UTC. */
  readonly receivedAt: number;
  /** What a parsed line means: for Segment's raw logs `readLoggedCall`. Must not throw. */
  readonly readLine: ReadLine;
  readonly maxLineBytes: number;
}

export type ReadLine = (value: JsonValue, line: LineContext) => SourceRecord | Rejection;

export interface LineContext {
  readonly source: string;
  readonly receivedAt: number;
  /** File and line: tells apart lines that are alike. */
  readonly position: string;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Hands over what each line says, one at a time. Blank lines are left out. A line that is not JSON, too long or refused
 * by `readLine` becomes a rejection.
 */
export function visitLines(
  { bytes, firstLine, tooLong }: RawPage,
  options: ReadLineOptions,
  visit: (outcome: SourceRecord | Rejection, line: number) => void,
): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let line = firstLine;
  let left = 0;
  const visitTooLong = () => {
    for (; tooLong[left]?.line === line; line++)
      visit(refuseTooLong(line, tooLong[left++]?.length ?? 0, options), line);
  };
  for (let from = 0; from < buffer.length; line++) {
    visitTooLong();
    const newline = buffer.indexOf(NEWLINE, from);
    const end = newline < 0 ? buffer.length : newline;
    const outcome = readLine(decode(buffer, from, end), line, options);
    if (outcome) visit(outcome, line);
    from = end + 1;
  }
  visitTooLong();
}

function decode(bytes: Buffer, from: number, end: number): string {
  return bytes.toString("utf8", from, bytes[end - 1] === CARRIAGE_RETURN && end > from ? end - 1 : end);
}

export function refuseTooLong(line: number, length: number, options: ReadLineOptions): Rejection {
  const { path, source, receivedAt, maxLineBytes } = options;
  const detail = `${path}:${line}: the line has ${length} bytes; ${maxLineBytes} are allowed.`;
  return { source, recordId: null, reason: "call_too_large", detail, receivedAt, payload: null };
}

/** Null for a blank line. */
function readLine(text: string, line: number, options: ReadLineOptions): SourceRecord | Rejection | null {
  const { path, source, receivedAt } = options;
  const position = `${path}:${line}`;
  const json = line === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
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
