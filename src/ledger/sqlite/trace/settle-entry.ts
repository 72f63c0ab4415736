/**
 * What the journal says of attempts: of a claim settled, and of dead letters put back or forgotten.
 *
 * settle:   text destination · u32 slots · for each: u32 lane · f64 first seq · u32 messages · u32 failed attempts before ·
 *           u32 stretches · for each: u32 first index · u32 messages · u32 what became of them · f64 due at · text answer
 * replay:   text destination · 16 bytes uuid · u32 lane · f64 seq · u32 0 as it was, 2 with another text (1 by an older
 *           prickle, and nothing more) · for 2: text event · text distinct id
 * forget:   text destination · 16 bytes uuid · u32 why
 * text:     u32 bytes · UTF-8. What no stretch names was delivered without a word.
 */

import type { ByteWriter } from "../../../core/bytes.ts";
import type { SettleOutcome } from "../../../core/ledger.ts";
import { uuidOf, uuidTextAt } from "../../../core/uuid.ts";
import type { ClaimedSlot } from "../protocol.ts";
import { type ByteReader, createByteReader } from "./byte-reader.ts";

/** `held`: it was not sent, which is no attempt. */
type Kind = SettleOutcome["kind"] | "held";
const KINDS: readonly Kind[] = ["delivered", "retry", "dead", "held"];
const FORGOTTEN = ["dropped", "expired"] as const;
export type Forgotten = (typeof FORGOTTEN)[number];

export interface JournaledSettle {
  readonly destination: string;
  readonly slots: readonly ClaimedSlot[];
  /** As in a SettleRequest. */
  readonly exceptions: readonly (readonly [index: number, outcome: SettleOutcome])[];
}

interface Stretch {
  readonly from: number;
  count: number;
  readonly outcome: SettleOutcome;
}

export function writeSettle({ destination, slots, exceptions }: JournaledSettle, out: ByteWriter): void {
  writeText(destination, out);
  out.number(slots.length);
  for (const { lane, firstSeq, count, attempts } of slots) {
    out.number(lane);
    out.double(firstSeq);
    out.number(count);
    out.number(attempts);
  }
  const stretches = stretchesOf(exceptions);
  out.number(stretches.length);
  for (const { from, count, outcome } of stretches) {
    out.number(from);
    out.number(count);
    out.number(KINDS.indexOf(kindOf(outcome)));
    out.double(outcome.kind === "retry" ? outcome.dueAt : 0);
    writeText(answerOf(outcome), out);
  }
}

/** A batch is usually answered as one. */
function stretchesOf(exceptions: JournaledSettle["exceptions"]): readonly Stretch[] {
  const stretches: Stretch[] = [];
  for (const [index, outcome] of exceptions) {
    const last = stretches.at(-1);
    if (last && last.from + last.count === index && isSame(last.outcome, outcome)) last.count += 1;
    else stretches.push({ from: index, count: 1, outcome });
  }
  return stretches;
}

function isSame(one: SettleOutcome, other: SettleOutcome): boolean {
  if (kindOf(one) !== kindOf(other) || answerOf(one) !== answerOf(other)) return false;
  return one.kind !== "retry" || other.kind !== "retry" || one.dueAt === other.dueAt;
}

function kindOf(outcome: SettleOutcome): Kind {
  return outcome.kind === "retry" && outcome.isUntried ? "held" : outcome.kind;
}

function answerOf(outcome: SettleOutcome): string {
  return outcome.kind === "delivered" ? (outcome.note ?? "") : outcome.reason;
}

export interface SettledMessage {
  readonly kind: Kind;
  /** This one included, if it is one. */
  readonly attempt: number;
  readonly answer: string;
  /** ms UTC; null: it is not tried again. */
  readonly dueAt: number | null;
}

export interface ReadSettle {
  readonly destination: string;
  /** Null: it was none of the claim. */
  of(lane: number, seq: number): SettledMessage | null;
}

/** Of the entry that begins at `from`. */
export function readSettle(bytes: Buffer, from: number): ReadSettle {
  const reader = createByteReader(bytes, from);
  const { number, double, text } = reader;
  const destination = text();
  const slots = many(reader, () => ({ lane: number(), firstSeq: double(), count: number(), attempts: number() }));
  /** Where they begin: most settlements are of no interest. */
  const stretchesAt = reader.place();
  return {
    destination,
    of(lane, seq) {
      let index = 0;
      for (const slot of slots) {
        if (slot.lane === lane && seq >= slot.firstSeq && seq < slot.firstSeq + slot.count) {
          return outcomeAt(createByteReader(bytes, stretchesAt), index + seq - slot.firstSeq, slot.attempts + 1);
        }
        index += slot.count;
      }
      return null;
    },
  };
}

function outcomeAt(reader: ByteReader, index: number, attempt: number): SettledMessage {
  const { number, double, text } = reader;
  const stretches = many(reader, () => ({
    from: number(),
    count: number(),
    kind: KINDS[number()] ?? "delivered",
    dueAt: double(),
    answer: text(),
  }));
  const found = stretches.find(({ from, count }) => index >= from && index < from + count);
  if (!found) return { kind: "delivered", attempt, answer: "", dueAt: null };
  const { kind, answer, dueAt } = found;
  return { kind, attempt, answer, dueAt: kind === "retry" || kind === "held" ? dueAt : null };
}

export interface JournaledReplay {
  readonly destination: string;
  readonly uuid: string;
  readonly lane: number;
  readonly seq: number;
  readonly isEdited: boolean;
  /** By its other text; null: it has none, or an older prickle did not say. */
  readonly subject: MessageSubject | null;
}

export interface MessageSubject {
  readonly event: string;
  readonly distinctId: string;
}

const [AS_IT_WAS, EDITED, EDITED_WITH_SUBJECT] = [0, 1, 2];

export function writeReplay(replay: Omit<JournaledReplay, "isEdited">, out: ByteWriter): void {
  const { destination, uuid, lane, seq, subject } = replay;
  writeText(destination, out);
  out.uuid(uuidOf(uuid));
  out.number(lane);
  out.double(seq);
  out.number(subject ? EDITED_WITH_SUBJECT : AS_IT_WAS);
  if (!subject) return;
  writeText(subject.event, out);
  writeText(subject.distinctId, out);
}

export function readReplay(bytes: Buffer, from: number): JournaledReplay {
  const { number, double, text, take, place } = createByteReader(bytes, from);
  const destination = text();
  const uuid = uuidTextAt(bytes, place());
  take(16);
  const [lane, seq, how] = [number(), double(), number()];
  const subject = how === EDITED_WITH_SUBJECT ? { event: text(), distinctId: text() } : null;
  return { destination, uuid, lane, seq, isEdited: how === EDITED || subject !== null, subject };
}

export interface JournaledForget {
  readonly destination: string;
  readonly uuid: string;
  readonly why: Forgotten;
}

export function writeForget({ destination, uuid, why }: JournaledForget, out: ByteWriter): void {
  writeText(destination, out);
  out.uuid(uuidOf(uuid));
  out.number(FORGOTTEN.indexOf(why));
}

export function readForget(bytes: Buffer, from: number): JournaledForget {
  const { number, text, take, place } = createByteReader(bytes, from);
  const destination = text();
  const uuid = uuidTextAt(bytes, place());
  take(16);
  return { destination, uuid, why: FORGOTTEN[number()] ?? "dropped" };
}

function many<One>({ number }: ByteReader, read: () => One): readonly One[] {
  return Array.from({ length: number() }, read);
}

function writeText(text: string, out: ByteWriter): void {
  const at = out.length;
  out.number(0);
  out.text(text);
  out.numberAt(at, out.length - at - 4);
}
