/** Queues what one destination lacks of groups: identifies and removals of its own, of what counts now. */

import { sentValueOf } from "../../core/attribution/properties.ts";
import type { RulesBySource } from "../../core/attribution/rules.ts";
import { createByteWriter } from "../../core/bytes.ts";
import { PrickleError } from "../../core/errors.ts";
import type { GroupRepair, RepairCounts } from "../../core/group-knowledge.ts";
import { deterministicUuid, groupLane } from "../../core/identity.ts";
import type { JsonObject } from "../../core/json.ts";
import { setOwn } from "../../core/mapping/own.ts";
import { type GroupIdentifyDraft, type GroupUnsetDraft, writeMessage } from "../../core/message.ts";
import { markAsMade, writeOrigin } from "../../core/origin.ts";
import { createParcelWriter } from "../../core/parcel.ts";
import { arrivalOf } from "./knowledge/arrival.ts";
import type { StoredKnowledge } from "./knowledge/knowledge.ts";
import type { Outbox } from "./outbox.ts";
import type { Passages } from "./passages.ts";
import type { Positions } from "./positions.ts";
import type { RepairRequest } from "./protocol.ts";
import { createRunBuilder } from "./run-builder.ts";
import { createCommitTrace } from "./trace/commit-trace.ts";
import type { Journal } from "./trace/journal.ts";

export interface RepairParts {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly passages: Passages;
  readonly knowledge: Pick<StoredKnowledge, "group" | "apply" | "takeChanges">;
  readonly rules: RulesBySource;
  readonly journal: Journal;
  readonly maxDepth: number;
}

type Draft = GroupIdentifyDraft | GroupUnsetDraft;

const NO_IDS = new Uint8Array(0);
/** No source can be named so. */
const TRACED_SOURCE = "(prickle)";
const HOUR_MS = 3_600_000;
const RETRY_AFTER_MS = 2_000;

/** @throws LEDGER_FULL */
export function createRepairs({ outbox, positions, passages, knowledge, rules, journal, maxDepth }: RepairParts) {
  const builder = createRunBuilder(positions.lanes);
  const parcel = createParcelWriter();
  const trace = createCommitTrace(journal);
  /**
   * PostHog may take two events of one time, name and distinct id for one, and repairs share a few ids. So each has a
   * millisecond of its own, from an hour ago on: the time of a group identify says nothing about its properties.
   */
  let lastAt = 0;

  /** What of the group is neither waiting nor owed. */
  function draftsOf({ groupType, groupKey, names }: GroupRepair, destination: string, lane: number): readonly Draft[] {
    const state = knowledge.group(groupType, groupKey);
    if (!state) return [];
    const set: JsonObject = {};
    const removed: string[] = [];
    for (const name of names) {
      const arrival = arrivalOf(state, name, { destination, lane, passages });
      if (arrival === "waiting" || arrival === "unsent") continue;
      const value = sentValueOf(state, name, groupKey, rules);
      if (value === undefined) removed.push(name);
      else setOwn(set, name, value);
    }
    const drafts: Draft[] = [];
    if (Object.keys(set).length > 0) drafts.push({ kind: "groupIdentify", groupType, groupKey, properties: set });
    if (removed.length > 0) drafts.push({ kind: "groupUnset", groupType, groupKey, properties: removed });
    return drafts;
  }

  /** `recordId`: by which it is traced. */
  function layAll({ destination, groups }: RepairRequest, recordId: string): RepairCounts {
    const taken = new Map<number, number>();
    const counts = { identifies: 0, removals: 0 };
    for (const group of groups) {
      const { groupType, groupKey } = group;
      const lane = groupLane(groupType, groupKey, positions.lanes);
      for (const draft of draftsOf(group, destination, lane)) {
        for (const part of lay(draft, destination, positions.nextSeq(lane) + (taken.get(lane) ?? 0))) {
          taken.set(lane, (taken.get(lane) ?? 0) + 1);
          knowledge.apply({ kind: "resent", groupType, groupKey, destination, ...part });
          trace?.output(0);
          trace?.message(part.seq);
          trace?.identified({ groupType, groupKey, recordId, uuid: "" }, "sent");
          counts[draft.kind === "groupIdentify" ? "identifies" : "removals"] += 1;
        }
      }
    }
    parcel.endRecord();
    return counts;
  }

  /** In several messages where one would be too large. */
  function lay(draft: Draft, destination: string, seq: number): readonly Laid[] {
    const at = lastAt + 1;
    const id = [destination, draft.groupType, draft.groupKey, seq].join("\0");
    const uuid = deterministicUuid("prickle repair", id, 0, at);
    parcel.record(uuid);
    if (!writeMessage(draft, { uuid, occurredAt: at, lanes: positions.lanes }, parcel)) {
      lastAt = at;
      return [{ names: namesIn(draft), seq }];
    }
    const [first, second] = halvesOf(draft);
    if (!first || !second) return [];
    const laid = lay(first, destination, seq);
    return [...laid, ...lay(second, destination, seq + laid.length)];
  }

  return (request: RepairRequest, now: number): RepairCounts => {
    if (positions.depth() >= maxDepth) throw outboxFull(maxDepth);
    builder.clear();
    parcel.clear();
    lastAt = Math.max(lastAt, now - HOUR_MS);
    const recordId = `repair of ${request.destination} at ${new Date(now).toISOString()}`;
    trace?.clear();
    trace?.commit({ source: TRACED_SOURCE, origins: originOf(recordId, now), duplicates: [] }, request.destination);
    const counts = layAll(request, recordId);
    const contents = parcel.contents();
    builder.add(contents);
    if (contents.length > 0) trace?.write(contents, now);
    const { runs, ranges } = builder.take(positions, now, request.destination);
    const notes = { only: request.destination, changes: knowledge.takeChanges() };
    if (runs.length > 0) outbox.add({ runs, ids: NO_IDS, notes }, { bytes: contents, ranges });
    return counts;
  };
}

/** Of no source: whoever traces such a message is to see who made it. */
function originOf(id: string, now: number): Buffer {
  const out = createByteWriter(256);
  const at = writeOrigin({ record: { id, occurredAt: now, statedAt: null, receivedAt: now }, rule: "verify" }, out);
  markAsMade(out, at);
  return out.view(0, out.length);
}

interface Laid {
  readonly names: readonly string[];
  readonly seq: number;
}

function namesIn(draft: Draft): readonly string[] {
  return draft.kind === "groupUnset" ? draft.properties : Object.keys(draft.properties);
}

/** None of what cannot be divided. */
function halvesOf(draft: Draft): readonly Draft[] {
  if (draft.kind === "groupUnset") return [];
  const entries = Object.entries(draft.properties);
  const middle = entries.length >>> 1;
  if (middle === 0) return [];
  const halves = [entries.slice(0, middle), entries.slice(middle)];
  return halves.map((some) => ({ ...draft, properties: Object.fromEntries(some) }));
}

function outboxFull(maxDepth: number): PrickleError {
  return new PrickleError(
    "LEDGER_FULL",
    `The outbox holds ${maxDepth} messages, as many as it may (ledger.maxDepth).`,
    {
      hint: "What was queued so far stays; ask again when it is delivered.",
      retryAfterMs: RETRY_AFTER_MS,
    },
  );
}
