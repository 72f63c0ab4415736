/** An output of a record as it was found in the journal, and what is found of it later. */

import { isJsonObject } from "../../../core/json.ts";
import type { TracedOutput, TracedStep } from "../../../core/trace.ts";
import type { OutputDetail, ReadOutput } from "./commit-entry.ts";

export interface FoundOutput extends Omit<TracedOutput, "deliveries"> {
  /** The one destination it is for; null: for all. */
  readonly only: string | null;
  /** By destination, in the order in which they happened. */
  readonly steps: Map<string, TracedStep[]>;
  /** By destination for which it was put back: where it stands since. */
  readonly replays: Map<string, OutboxPlace>;
}

export interface OutboxPlace {
  readonly lane: number;
  readonly seq: number;
}

export function foundOutput({ uuid, became, lane, seq, head, detail }: ReadOutput, madeAt: number): FoundOutput {
  const { group, gained = {}, only = null } = detailOf(detail);
  const [groupType, groupKey = null] = group ?? [];
  const isMessage = became === "sent";
  return {
    uuid,
    became,
    ...saidIn(head),
    group: groupType === undefined ? null : { groupType, groupKey },
    gained,
    madeAt,
    lane: isMessage ? lane : null,
    seq: isMessage ? seq : null,
    only,
    steps: new Map(),
    replays: new Map(),
  };
}

/** Id of the record that made it: another one than that which came, where it waited for this one. */
export function recordOf({ detail }: ReadOutput, id: string): string {
  return detailOf(detail).of ?? id;
}

/** Null: it never was in the outbox. */
export function placeFor({ lane, seq, only, replays }: FoundOutput, destination: string): OutboxPlace | null {
  const isFor = (only ?? destination) === destination;
  return replays.get(destination) ?? (lane === null || seq === null || !isFor ? null : { lane, seq });
}

export function addStep({ steps }: FoundOutput, destination: string, step: TracedStep): void {
  const known = steps.get(destination);
  if (known) known.push(step);
  else steps.set(destination, [step]);
}

function saidIn(head: string): { readonly event: string | null; readonly distinctId: string | null } {
  const said = parsed(head);
  const text = (name: string) => (isJsonObject(said) && typeof said[name] === "string" ? said[name] : null);
  return { event: text("event"), distinctId: text("distinct_id") };
}

/** The beginning of an object; of what is no message of ours it is none. */
function parsed(head: string): unknown {
  try {
    return JSON.parse(`${head}}`);
  } catch {
    return null;
  }
}

function detailOf(text: string): OutputDetail {
  return text === "" ? {} : JSON.parse(text);
}
