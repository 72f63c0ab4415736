/**
 * Where records come from, as bytes that go with them to the ledger: what traces a message back to what its sender said.
 *
 * origin: f64 occurred at · f64 stated at (NaN: nobody said) · f64 received at · u32 1 if it made a message · text id · text rule
 * text:   u32 bytes · UTF-8. An empty rule: none wanted the record.
 */

import type { ByteWriter } from "./bytes.ts";
import type { SourceRecord } from "./record.ts";

export interface RecordOrigin {
  readonly record: Pick<SourceRecord, "id" | "occurredAt" | "statedAt" | "receivedAt">;
  /** Of the mapping, that wanted the record. */
  readonly rule: string | null;
}

/** An origin as it was read. */
export interface Origin {
  readonly id: string;
  readonly rule: string | null;
  readonly occurredAt: number;
  readonly statedAt: number | null;
  readonly receivedAt: number;
  readonly madeMessages: boolean;
}

const MADE_AT = 24;
const ID_AT = MADE_AT + 4;

/** Gives where it was laid. */
export function writeOrigin({ record, rule }: RecordOrigin, out: ByteWriter): number {
  const at = out.length;
  out.double(record.occurredAt);
  out.double(record.statedAt ?? Number.NaN);
  out.double(record.receivedAt);
  out.number(0);
  writeText(record.id, out);
  writeText(rule ?? "", out);
  return at;
}

/** Of the one laid at `at`. */
export function markAsMade(out: ByteWriter, at: number): void {
  out.numberAt(at + MADE_AT, 1);
}

/** Those that lie end to end, in order. */
export function* readOrigins(bytes: Buffer): Iterable<Origin> {
  for (let at = 0; at < bytes.length; ) {
    const ruleAt = ID_AT + at + 4 + bytes.readUInt32LE(at + ID_AT);
    const end = ruleAt + 4 + bytes.readUInt32LE(ruleAt);
    const statedAt = bytes.readDoubleLE(at + 8);
    yield {
      id: bytes.toString("utf8", at + ID_AT + 4, ruleAt),
      rule: end === ruleAt + 4 ? null : bytes.toString("utf8", ruleAt + 4, end),
      occurredAt: bytes.readDoubleLE(at),
      statedAt: Number.isNaN(statedAt) ? null : statedAt,
      receivedAt: bytes.readDoubleLE(at + 16),
      madeMessages: bytes.readUInt32LE(at + MADE_AT) === 1,
    };
    at = end;
  }
}

function writeText(text: string, out: ByteWriter): void {
  const at = out.length;
  out.number(0);
  out.text(text);
  out.numberAt(at, out.length - at - 4);
}
