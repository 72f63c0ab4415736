/** What is known of a group, after a change. The change may have been made before. */

import type { JsonObject } from "../json.ts";
import { setOwn } from "../mapping/own.ts";
import type { Change, GroupState, Resent, Told } from "./knowledge.ts";

type GroupChange = Extract<Change, { kind: "group" }>;

/** As its owner may write it. */
interface OpenState {
  readonly told: Record<string, Record<string, Told>>;
  unsent: readonly string[];
  readonly sent: Record<string, number>;
  resent?: Record<string, Record<string, number>>;
}

/** A state of its own: `before` stays as it is. */
export function changedGroup(before: GroupState | null, change: GroupChange): GroupState {
  const told: OpenState["told"] = {};
  for (const [name, bySource] of Object.entries(before?.told ?? {})) put(told, name, { ...bySource });
  const state: OpenState = { told, unsent: [], sent: { ...before?.sent } };
  if (before?.resent) state.resent = copyOf(before.resent);
  changeGroup(state, change);
  return state;
}

/** Writes the change into a state that nobody else holds. */
export function changeGroup(state: GroupState, change: GroupChange): void {
  const { source, told, restated, restatedAt, unsent, sent, seq } = change;
  const open = state as OpenState; // Whose owner calls.
  for (const name of Object.keys(told)) {
    if (!Object.hasOwn(open.told, name)) put(open.told, name, {});
    const bySource = open.told[name];
    const said = told[name];
    if (bySource && said) put(bySource, source, said);
  }
  for (const name of restated) {
    const bySource = Object.hasOwn(open.told, name) ? open.told[name] : undefined;
    const known = bySource && Object.hasOwn(bySource, source) ? bySource[source] : undefined;
    if (bySource && known) put(bySource, source, { ...known, at: Math.max(known.at, restatedAt) });
  }
  open.unsent = unsent;
  for (const name of sent) put(open.sent, name, seq);
  if (open.resent) for (const bySeq of Object.values(open.resent)) forget(bySeq, [...sent, ...unsent]);
}

/** The state after a message for one destination carried some of it again. */
export function resentGroup(before: GroupState, { destination, names, seq }: Resent): GroupState {
  const resent = copyOf(before.resent ?? {});
  const bySeq = resent[destination] ?? {};
  for (const name of names) put(bySeq, name, seq);
  put(resent, destination, bySeq);
  return { ...before, resent };
}

/** The state after a message died that carried these properties to a destination: they are owed. */
export function owingGroup(before: GroupState, destination: string, names: readonly string[]): GroupState {
  const unsent = [...new Set([...before.unsent, ...names])];
  if (!before.resent?.[destination]) return { ...before, unsent };
  const resent = copyOf(before.resent);
  forget(resent[destination] ?? {}, names);
  return { ...before, unsent, resent };
}

function copyOf(resent: NonNullable<GroupState["resent"]>): Record<string, Record<string, number>> {
  return Object.fromEntries(Object.entries(resent).map(([destination, bySeq]) => [destination, { ...bySeq }]));
}

function forget(bySeq: Record<string, number>, names: readonly string[]): void {
  for (const name of names) delete bySeq[name];
}

/** Also under names that plain assignment would take for the prototype. */
function put<Value>(target: Record<string, Value>, name: string, value: Value): void {
  setOwn(target as unknown as JsonObject, name, value as never);
}
