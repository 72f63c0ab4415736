/** What is known of a group, after a change. The change may have been made before. */

import type { JsonObject } from "../json.ts";
import { setOwn } from "../mapping/own.ts";
import type { Change, GroupState, Told } from "./knowledge.ts";

type GroupChange = Extract<Change, { kind: "group" }>;

/** As its owner may write it. */
interface OpenState {
  readonly told: Record<string, Record<string, Told>>;
  unsent: readonly string[];
  readonly sent: Record<string, number>;
}

/** A state of its own: `before` stays as it is. */
export function changedGroup(before: GroupState | null, change: GroupChange): GroupState {
  const told: OpenState["told"] = {};
  for (const [name, bySource] of Object.entries(before?.told ?? {})) put(told, name, { ...bySource });
  const state: OpenState = { told, unsent: [], sent: { ...before?.sent } };
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
}

/** Also under names that plain assignment would take for the prototype. */
function put<Value>(target: Record<string, Value>, name: string, value: Value): void {
  setOwn(target as unknown as JsonObject, name, value as never);
}
