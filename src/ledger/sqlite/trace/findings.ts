/** What was found in the journal of records, their messages, and the attempts to deliver them. */

import { type Origin, readOrigins } from "../../../core/origin.ts";
import type { TracedRecord, TracedStep } from "../../../core/trace.ts";
import type { ReadCommits, ReadOutput } from "./commit-entry.ts";
import { addStep, type FoundOutput, foundOutput, placeFor, recordOf } from "./found-output.ts";
import type { Needles } from "./needles.ts";
import type { JournaledForget, JournaledReplay, ReadSettle, SettledMessage } from "./settle-entry.ts";

export interface Finding extends Omit<TracedRecord, "outputs"> {
  readonly repeatedAt: number[];
  readonly outputs: FoundOutput[];
}

export interface Findings {
  readonly records: readonly Finding[];
  committed(commits: ReadCommits, at: number): void;
  /** Whether anything was found that may be settled. */
  hasMessages(): boolean;
  settled(settle: ReadSettle, at: number): void;
  replayed(replay: JournaledReplay, at: number): void;
  forgotten(forget: JournaledForget, at: number): void;
}

/** Looks for records of this id, and messages of it, and from then on for what becomes of those found. */
export function createFindings(id: string, needles: Needles): Findings {
  const records: Finding[] = [];
  const outputs: FoundOutput[] = [];
  const uuids = new Set([id.toLowerCase()]);
  needles.addText(id);
  needles.addUuid(id);

  const find = (source: string, recordId: string | null) =>
    records.findLast((one) => one.source === source && one.id === recordId);

  function addRecord(source: string, origin: Partial<Origin>, committedAt: number | null): Finding {
    const { id: recordId = null, rule = null, occurredAt = null, receivedAt = null } = origin;
    const times = { occurredAt, receivedAt, committedAt, repeatedAt: [] };
    const finding = { source, id: recordId, rule, ...times, outputs: [] };
    records.push(finding);
    if (recordId !== null) needles.addText(recordId);
    return finding;
  }

  function addOutput(finding: Finding, read: ReadOutput, at: number): void {
    const output = foundOutput(read, at);
    finding.outputs.push(output);
    outputs.push(output);
    uuids.add(output.uuid);
    needles.addUuid(output.uuid);
  }

  function takeRecord(source: string, origin: Origin, made: readonly ReadOutput[], isSeen: boolean, at: number): void {
    const known = find(source, origin.id);
    const own = made.filter((output) => recordOf(output, origin.id) === origin.id);
    if (origin.id !== id && !known && !own.some(({ uuid }) => uuids.has(uuid))) return;
    if (isSeen) (known ?? addRecord(source, origin, null)).repeatedAt.push(at);
    else {
      const finding = addRecord(source, origin, at);
      for (const output of own) addOutput(finding, output, at);
    }
  }

  /** Of what no record that came claims: it waited for this commit, or nobody said where it comes from. */
  function takeLate(source: string, origin: Origin | undefined, output: ReadOutput, at: number): void {
    const recordId = origin ? recordOf(output, origin.id) : null;
    if (recordId === origin?.id || !(uuids.has(output.uuid) || recordId === id)) return;
    const waited = records.find((one) => one.outputs.some(({ uuid }) => uuid === output.uuid));
    addOutput(waited ?? addRecord(source, recordId === null ? {} : { id: recordId }, null), output, at);
  }

  return {
    records,
    committed({ commits, outputs: made }, at) {
      for (const [index, { source, origins, duplicates }] of commits.entries()) {
        const byPlace = Map.groupBy(
          made.filter(({ commit }) => commit === index),
          ({ place }) => place,
        );
        const seen = new Set(duplicates);
        const placed: Origin[] = [];
        for (const origin of readOrigins(origins)) {
          const place = origin.madeMessages ? placed.push(origin) - 1 : -1;
          takeRecord(source, origin, byPlace.get(place) ?? [], seen.has(place), at);
        }
        for (const [place, all] of byPlace) for (const output of all) takeLate(source, placed[place], output, at);
      }
    },
    hasMessages: () => outputs.length > 0,
    settled(settle, at) {
      for (const output of outputs) {
        const place = placeFor(output, settle.destination);
        const settled = place && settle.of(place.lane, place.seq);
        if (!settled) continue;
        addStep(output, settle.destination, stepOf(settled, at));
      }
    },
    replayed({ destination, uuid, lane, seq, isEdited, subject }, at) {
      for (const output of outputs.filter((one) => one.uuid === uuid)) {
        output.replays.set(destination, { lane, seq });
        addStep(output, destination, { kind: "replayed", at, isEdited, ...subject });
      }
    },
    forgotten({ destination, uuid, why }, at) {
      for (const output of outputs) if (output.uuid === uuid) addStep(output, destination, { kind: why, at });
    },
  };
}

function stepOf({ kind, attempt, answer, dueAt }: SettledMessage, at: number): TracedStep {
  switch (kind) {
    case "held":
      return { kind, at, answer, dueAt };
    case "retry":
      return { kind, at, attempt, answer, dueAt };
    default:
      return { kind, at, attempt, answer };
  }
}
