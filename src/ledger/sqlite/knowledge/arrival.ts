/** When what was said last of a property arrived at a destination. */

import type { GroupState } from "../../../core/attribution/knowledge.ts";
import type { Arrival } from "../../../core/group-knowledge.ts";
import type { Passages } from "../passages.ts";

export interface Way {
  readonly destination: string;
  /** Of the group. */
  readonly lane: number;
  readonly passages: Pick<Passages, "of">;
}

export function arrivalOf(state: GroupState, name: string, { destination, lane, passages }: Way): Arrival {
  const resent = seqIn(state.resent?.[destination], name);
  if (resent !== undefined) return passages.of(destination, lane, resent);
  const seq = seqIn(state.sent, name);
  return seq === undefined || state.unsent.includes(name) ? "unsent" : passages.of(destination, lane, seq);
}

function seqIn(bySeq: Readonly<Record<string, number>> | undefined, name: string): number | undefined {
  return bySeq && Object.hasOwn(bySeq, name) ? bySeq[name] : undefined;
}
