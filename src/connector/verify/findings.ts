/** Counts what is found of the groups of one type, and keeps a few examples. */

import type { GroupComparison } from "../../core/group-comparison.ts";
import type { HeldGroup } from "../../core/group-knowledge.ts";
import {
  type DifferingGroup,
  type Finding,
  LEFT_OUT,
  type LeftOut,
  type VerifiedType,
} from "../../core/verification.ts";

export interface Findings {
  readonly shown: number;
  readonly known: number;
  /** A group that no source knows. */
  unknown(groupKey: string): void;
  /** `isShown` false: the destination has no such group. */
  compared(group: HeldGroup, comparison: GroupComparison, isShown: boolean): void;
  result(): VerifiedType;
}

interface Tally<Example> {
  count: number;
  readonly examples: Example[];
}

export function createFindings(groupType: string, index: number | null, mostExamples: number): Findings {
  const missing: Tally<string> = { count: 0, examples: [] };
  const differing: Tally<DifferingGroup> = { count: 0, examples: [] };
  const unknown: Tally<string> = { count: 0, examples: [] };
  const leftOut: Record<LeftOut, number> = { waiting: 0, owed: 0, settling: 0 };
  let [shown, known, same] = [0, 0, 0];

  function note<Example>(tally: Tally<Example>, example: Example): void {
    tally.count += 1;
    if (tally.examples.length < mostExamples) tally.examples.push(example);
  }

  return {
    get shown() {
      return shown;
    },
    get known() {
      return known;
    },
    unknown(groupKey) {
      shown += 1;
      note(unknown, groupKey);
    },
    compared({ groupKey }, comparison, isShown) {
      known += 1;
      if (isShown) shown += 1;
      const reason = LEFT_OUT.find((one) => comparison.leftOut.has(one));
      if (comparison.differences.length > 0) {
        if (isShown) note(differing, { groupKey, properties: comparison.differences });
        else note(missing, groupKey);
      } else if (reason) leftOut[reason] += 1;
      else same += 1;
    },
    result: () => ({
      groupType,
      index,
      known,
      shown,
      same,
      missing: sorted(missing, (one) => one),
      differing: sorted(differing, (one) => one.groupKey),
      unknown: sorted(unknown, (one) => one),
      leftOut,
    }),
  };
}

function sorted<Example>({ count, examples }: Tally<Example>, keyOf: (one: Example) => string): Finding<Example> {
  return { count, examples: examples.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)) };
}
