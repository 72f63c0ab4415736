/** Counts the messages a repair costs, and queues them if asked to, a slice at a time. */

import type { GroupRepair, HeldGroup } from "../../core/group-knowledge.ts";
import type { Ledger } from "../../core/ledger.ts";
import type { PropertyDifference } from "../../core/verification.ts";

export interface Repairing {
  readonly identifies: number;
  readonly removals: number;
  add(group: Pick<HeldGroup, "groupType" | "groupKey">, differences: readonly PropertyDifference[]): Promise<void>;
  /** Queues what is left. */
  finish(): Promise<void>;
}

export interface RepairingParts {
  readonly ledger: Pick<Ledger, "repairGroups">;
  readonly destination: string;
  readonly onCommitted: () => void;
  /** False: they are counted only. */
  readonly queues: boolean;
}

/** Groups whose repairs are queued in one transaction. */
const SLICE = 100;

export function createRepairing({ ledger, destination, onCommitted, queues }: RepairingParts): Repairing {
  let [identifies, removals] = [0, 0];
  let slice: GroupRepair[] = [];

  async function queue(): Promise<void> {
    if (slice.length === 0) return;
    const groups = slice;
    slice = [];
    const queued = await ledger.repairGroups({ destination, groups });
    identifies += queued.identifies;
    removals += queued.removals;
    onCommitted();
  }

  return {
    get identifies() {
      return identifies;
    },
    get removals() {
      return removals;
    },
    async add({ groupType, groupKey }, differences) {
      if (!queues) {
        if (differences.some(({ expected }) => expected !== undefined)) identifies += 1;
        if (differences.some(({ expected }) => expected === undefined)) removals += 1;
        return;
      }
      slice.push({ groupType, groupKey, names: differences.map(({ name }) => name) });
      if (slice.length >= SLICE) await queue();
    },
    finish: queue,
  };
}
