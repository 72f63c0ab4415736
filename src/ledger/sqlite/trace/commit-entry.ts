/**
 * What the journal says of the commits of one transaction.
 *
 * commits: u32 commits · for each: text source · u32 bytes of origins · origins (core/origin.ts) · u32 duplicates · u32 place…
 * outputs: u32 outputs · for each: u32 commit · u32 place of its record · u32 what became of it · u32 lane · f64 seq ·
 *          16 bytes uuid · text head · text detail
 * text:    u32 bytes · UTF-8. Places count the records with messages. A head is what stands in the message before its uuid.
 */

import type { Became } from "../../../core/attribution/step.ts";
import type { ByteWriter } from "../../../core/bytes.ts";
import { FRAME_HEAD_BYTES, type MessagePlace } from "../../../core/parcel.ts";
import { type Uuid, uuidTextAt } from "../../../core/uuid.ts";
import { createByteReader } from "./byte-reader.ts";

export interface JournaledCommit {
  readonly source: string;
  readonly origins: Buffer;
  /** Places of records that were seen before. */
  readonly duplicates: readonly number[];
}

/** Of an output that made no message: of a group identify. */
export interface JournaledOutput {
  readonly commit: number;
  readonly place: number;
  readonly became: Became;
  readonly lane: number;
  readonly seq: number;
  readonly uuid: Uuid;
  readonly detail: string;
}

/** Of a message: the rest is in its bytes. */
export interface JournaledMessage {
  readonly commit: number;
  readonly place: number;
  readonly seq: number;
  readonly detail: string;
}

/** What is said beside what every message has; all of it JSON. */
export interface OutputDetail {
  /** Type and key; a key that was not found out is null. */
  readonly group?: readonly [groupType: string, groupKey: string | null];
  /** Groups that an event gained. */
  readonly gained?: Readonly<Record<string, string>>;
  /** Id of another record, which waited until this one came. */
  readonly of?: string;
  /** The one destination it is for. */
  readonly only?: string;
}

const BECAME: readonly Became[] = ["sent", "saved", "parked", "refused"];
const NO_TEXT = "";
const UUID_IN_FRAME = 4;

export function writeCommits(commits: readonly JournaledCommit[], out: ByteWriter): void {
  out.number(commits.length);
  for (const { source, origins, duplicates } of commits) {
    writeText(source, out);
    out.number(origins.length);
    out.bytes(origins);
    out.number(duplicates.length);
    for (const place of duplicates) out.number(place);
  }
}

/** A message as it lies in `contents`. */
export function writeMessageOutput(
  { commit, place, seq, detail }: JournaledMessage,
  contents: Buffer,
  { lane, frameAt, end }: Pick<MessagePlace, "lane" | "frameAt" | "end">,
  out: ByteWriter,
): void {
  out.number(commit);
  out.number(place);
  out.number(0);
  out.number(lane);
  out.double(seq);
  const jsonAt = frameAt + FRAME_HEAD_BYTES;
  out.slice(contents, frameAt + UUID_IN_FRAME, jsonAt);
  const headEnd = endOfHead(contents, jsonAt, end);
  out.number(headEnd - jsonAt);
  out.slice(contents, jsonAt, headEnd);
  writeText(detail, out);
}

export function writeOutput(
  { commit, place, became, lane, seq, uuid, detail }: JournaledOutput,
  out: ByteWriter,
): void {
  out.number(commit);
  out.number(place);
  out.number(BECAME.indexOf(became));
  out.number(lane);
  out.double(seq);
  out.uuid(uuid);
  writeText(NO_TEXT, out);
  writeText(detail, out);
}

export interface ReadOutput {
  readonly commit: number;
  readonly place: number;
  readonly became: Became;
  readonly lane: number;
  readonly seq: number;
  readonly uuid: string;
  readonly head: string;
  readonly detail: string;
}

export interface ReadCommits {
  readonly commits: readonly JournaledCommit[];
  readonly outputs: readonly ReadOutput[];
}

/** Of the entry that lies between two places. */
export function readCommits(bytes: Buffer, from: number): ReadCommits {
  const { number, double, text, take, place } = createByteReader(bytes, from);
  const many = <One>(read: () => One): One[] => Array.from({ length: number() }, read);
  const commits = many(() => ({ source: text(), origins: take(number()), duplicates: many(number) }));
  const outputs = many((): ReadOutput => {
    const [commit, record, became, lane, seq] = [number(), number(), BECAME[number()] ?? "sent", number(), double()];
    const uuid = uuidTextAt(bytes, place());
    take(16);
    return { commit, place: record, became, lane, seq, uuid, head: text(), detail: text() };
  });
  return { commits, outputs };
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const LETTER_U = 0x75;

/** Before `,"uuid"`: in a text a quote does not stand without a backslash, so nothing else reads like that. */
function endOfHead(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at + 2 < end; at++) {
    if (bytes[at] === COMMA && bytes[at + 1] === QUOTE && bytes[at + 2] === LETTER_U) return at;
  }
  return from;
}

function writeText(text: string, out: ByteWriter): void {
  const at = out.length;
  out.number(0);
  if (text === NO_TEXT) return;
  out.text(text);
  out.numberAt(at, out.length - at - 4);
}
