/** A trace as people read it: record, rule, messages, attempts, answers. */

import type { KeptRejection } from "../core/ledger.ts";
import type { Trace, TracedOutput, TracedRecord, TracedState, TracedStep, TraceMemory } from "../core/trace.ts";
import type { Colors } from "./invocation.ts";
import { cell, count, showTable, time } from "./show-table.ts";

const MOST_SHOWN = 5;

export function showTrace({ records, rejections, deadLetters, memory }: Trace, paint: Colors): string {
  const parts = records.map((record) => showRecord(record, paint));
  parts.push(...rejections.map((rejection) => showRejection(rejection, paint)));
  if (deadLetters.length > 0) parts.push(`kept as dead letter ${deadLetters.join(", ")}; no more is remembered of it`);
  parts.push(...gapsOf(memory.gaps).map((gap) => paint.dim(gap)));
  return parts.join("\n\n");
}

export function gapsOf(gaps: TraceMemory["gaps"]): readonly string[] {
  return gaps.map(({ from, until }) => {
    const again = until === null ? "" : `, until it was started again at ${time(until)}`;
    return `prickle ended without a word at about ${time(from)}${again}: what happened just before may be missing.`;
  });
}

function showRecord(record: TracedRecord, paint: Colors): string {
  const { source, id, occurredAt, receivedAt, committedAt, rule, repeatedAt, outputs } = record;
  const fields: [string, string][] = [["record", `${source} ${paint.bold(id === null ? "unknown" : cell(id, 200))}`]];
  if (occurredAt !== null) fields.push(["happened", time(occurredAt)]);
  if (receivedAt !== null) fields.push(["received", time(receivedAt)]);
  fields.push(["committed", committedAt === null ? "before what is remembered" : time(committedAt)]);
  if (rule !== null) fields.push(["rule", rule]);
  if (repeatedAt.length > 0) fields.push(["came again", `${timesOf(repeatedAt)}: left out, as seen before`]);
  if (outputs.length === 0 && committedAt !== null) fields.push(["messages", "none"]);
  return [showFields(fields, paint), ...outputs.map((output) => showOutput(output, paint))].join("\n\n");
}

function showFields(fields: readonly (readonly [string, string])[], paint: Colors): string {
  return fields.map(([name, text]) => `${paint.dim(name.padEnd(11))}${text}`).join("\n");
}

function timesOf(times: readonly number[]): string {
  const more = times.length > MOST_SHOWN ? ` and ${count(times.length - MOST_SHOWN)} times more` : "";
  return times.slice(0, MOST_SHOWN).map(time).join(", ") + more;
}

function showOutput(output: TracedOutput, paint: Colors): string {
  const { uuid, lane, madeAt, deliveries } = output;
  const where = lane === null ? "" : `, lane ${lane}, at ${time(madeAt)}`;
  const lines = [paint.bold(subjectOf(output)), `${paint.dim(uuid)}${where}`];
  const fate = fateOf(output);
  if (fate !== null) lines.push(fate);
  if (deliveries.length > 0) lines.push(showDeliveries(output, paint));
  return lines.map((line) => line.replaceAll(/^/gm, "  ")).join("\n");
}

function subjectOf({ event, distinctId, group, gained }: Subject): string {
  if (group) {
    const key = group.groupKey === null ? "of unknown key" : cell(group.groupKey, 400);
    return `${event === "$group_unset" ? "removal of properties" : "group identify"}: ${group.groupType} ${key}`;
  }
  const groups = Object.entries(gained).map(([type, key]) => `${type} ${cell(key)}`);
  const more = groups.length > 0 ? `, gained ${groups.join(", ")} by what is known of its person` : "";
  return `event ${cell(event ?? "unknown", 200)} of ${cell(distinctId ?? "unknown", 200)}${more}`;
}

type Subject = Pick<TracedOutput, "event" | "distinctId" | "group" | "gained">;

/** Null: it became a message. */
function fateOf({ became }: TracedOutput): string | null {
  switch (became) {
    case "sent":
      return null;
    case "saved":
      return "no message: it said nothing new of the group";
    case "parked":
      return "no message yet: it waits until one of its aliases is known (prickle keys)";
    case "refused":
      return "no message: it was rejected";
  }
}

function showDeliveries(output: TracedOutput, paint: Colors): string {
  const rows = output.deliveries.flatMap(({ destination, steps, state }) => [
    ...steps.map((step, index) => [
      index === 0 ? destination : "",
      time(step.at),
      stepText(step, output),
      answerOf(step),
    ]),
    [steps.length === 0 ? destination : "", "now", paint.bold(stateText(state)), ""],
  ]);
  return showTable([{ name: "destination" }, { name: "at" }, { name: "what" }, { name: "answer" }], rows, paint);
}

function stepText(step: TracedStep, output: TracedOutput): string {
  switch (step.kind) {
    case "delivered":
      return `attempt ${step.attempt}: delivered`;
    case "dead":
      return `attempt ${step.attempt}: given up`;
    case "retry":
      return `attempt ${step.attempt}: failed${dueText(step.dueAt)}`;
    case "held":
      return `held back${dueText(step.dueAt)}`;
    case "replayed":
      return replayText(step, output);
    case "dropped":
      return "dead letter dropped";
    case "expired":
      return "dead letter expired";
  }
}

/** Says what it is since then where that is something else. */
function replayText(step: Extract<TracedStep, { kind: "replayed" }>, output: TracedOutput): string {
  if (!step.isEdited) return "put back";
  const { event = output.event, distinctId = output.distinctId } = step;
  const isSame = event === output.event && distinctId === output.distinctId;
  return `put back, its text changed${isSame ? "" : `: ${subjectOf({ event, distinctId, group: null, gained: {} })}`}`;
}

function dueText(dueAt: number | null): string {
  return dueAt === null ? "" : `, again from ${time(dueAt)}`;
}

function answerOf(step: TracedStep): string {
  return "answer" in step ? cell(step.answer, 400) : "";
}

function stateText(state: TracedState): string {
  switch (state.kind) {
    case "delivered":
      return "delivered";
    case "waiting": {
      const when = state.notBefore === null ? "" : `, not before ${time(state.notBefore)}`;
      return `waiting: place ${count(state.place)} of its lane${when}`;
    }
    case "dead":
      return `dead letter ${state.deadLetter}: prickle dead show ${state.deadLetter}`;
    case "forgotten":
      return "forgotten, not delivered";
    case "passed":
      return `done${state.at === null ? "" : ` at ${time(state.at)}`}; how is not remembered`;
  }
}

function showRejection({ source, recordId, reason, detail, receivedAt }: KeptRejection, paint: Colors): string {
  return showFields(
    [
      ["rejected", `${source} ${paint.bold(cell(recordId, 200))}`],
      ["received", time(receivedAt)],
      ["reason", reason],
      ["detail", cell(detail, 400)],
    ],
    paint,
  );
}
