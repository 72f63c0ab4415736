/** What is known of a group, after a change. */

import type { Change, GroupState } from "./knowledge.ts";

/** A group's state after a change. The change may have been made before. */
export function changedGroup(before: GroupState | null, change: Extract<Change, { kind: "group" }>): GroupState {
  const { source, told, restated, restatedAt, unsent, sent, seq } = change;
  const all = new Map(Object.entries(before?.told ?? {}));
  for (const [name, one] of Object.entries(told)) all.set(name, { ...all.get(name), [source]: one });
  for (const name of restated) {
    const known = all.get(name)?.[source];
    if (known) all.set(name, { ...all.get(name), [source]: { ...known, at: Math.max(known.at, restatedAt) } });
  }
  return {
    told: Object.fromEntries(all),
    unsent,
    sent: { ...before?.sent, ...Object.fromEntries(sent.map((name) => [name, seq])) },
  };
}
