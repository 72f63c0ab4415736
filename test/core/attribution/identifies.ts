/** Group identifies through the step that finds their group and makes messages of what is new. */

import { createIdentifying } from "../../../src/core/attribution/identifying.ts";
import type { Identify } from "../../../src/core/attribution/knowledge.ts";
import { createMemoryKnowledge, type MemoryKnowledge } from "../../../src/core/attribution/memory-knowledge.ts";
import type { RulesBySource } from "../../../src/core/attribution/rules.ts";
import { type AttributionTally, emptyTally } from "../../../src/core/attribution/step.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { createParcelWriter, readParcel } from "../../../src/core/parcel.ts";
import { uuidOf } from "../../../src/core/uuid.ts";
import { uuidOf as textOf } from "../../fakes/outbox.ts";

export interface Sent {
  readonly uuid: string;
  readonly lane: number;
  readonly event: string;
  readonly groupKey: string;
  readonly set: JsonObject;
  readonly unset: readonly string[];
}

export interface Identifies {
  readonly knowledge: MemoryKnowledge;
  readonly tally: AttributionTally;
  /** Lanes in which a seq was taken, in order. */
  readonly lanes: number[];
  /** The messages it made. The `n`-th has the uuid `n` and, unless it says otherwise, time `n`. */
  take(identify: Partial<Identify>): readonly Sent[];
}

export function createIdentifies(rules: RulesBySource = {}): Identifies {
  const knowledge = createMemoryKnowledge();
  const tally = emptyTally();
  const parcel = createParcelWriter();
  const lanes: number[] = [];
  const takeSeq = (lane: number) => lanes.push(lane) - 1;
  const identifying = createIdentifying({ knowledge, rules, lanes: 64, tally, target: { parcel, takeSeq } });
  let count = 0;
  return {
    knowledge,
    tally,
    lanes,
    take(identify) {
      count += 1;
      parcel.record(uuidOf(textOf(count)));
      identifying.take({ ...BARE, at: count, recordId: `r${count}`, uuid: textOf(count), ...identify });
      return (readParcel(parcel.take())[0]?.messages ?? []).map(sentBy);
    },
  };
}

const BARE: Omit<Identify, "at" | "recordId" | "uuid"> = {
  source: "crm",
  groupType: "company",
  groupKey: null,
  aliases: [],
  mergedAliases: [],
  fallbackKey: null,
  properties: {},
  receivedAt: 0,
};

function sentBy({ uuid, lane, json }: { readonly uuid: string; readonly lane: number; readonly json: string }): Sent {
  const { event, properties } = JSON.parse(json);
  const { $group_key: groupKey, $group_set: set = {}, $group_unset: unset = [] } = properties;
  return { uuid, lane, event, groupKey, set, unset };
}
