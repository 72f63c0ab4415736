/** Names all declared group types in one event before anything else: PostHog gives out indexes in the order of arrival. */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import { deterministicUuid } from "../../core/identity.ts";
import { isoTime } from "../../core/iso-time.ts";
import { uuidText } from "../../core/uuid.ts";
import { blocked } from "./answer.ts";

export interface SlotClaim {
  /** As the JSON text of a message in the outbox. */
  readonly body: Uint8Array;
}

const EVENT = "prickle group types";
/** Never a group: those appear with their first group identify. PostHog might pass over an empty key. */
const GROUP_KEY = "prickle";
const DISTINCT_ID = "$groups_sync_00";
/**
 * Before anything a backfill may bring, since PostHog shows a type's groups only on events after the type's first; and
 * before 2015, where PostHog's "all time" begins (seen 2026-11).
 */
const OCCURRED_AT = Date.UTC(2014, 0, 1);

/** The same bytes for the same types in the same order, so that PostHog folds what arrives again. */
export function createSlotClaim(groupTypes: readonly string[]): SlotClaim {
  const uuid = uuidText(deterministicUuid("prickle", `${EVENT}\0${groupTypes.join("\0")}`, 0, OCCURRED_AT));
  const groups = groupTypes.map((groupType) => `${JSON.stringify(groupType)}:${JSON.stringify(GROUP_KEY)}`);
  const head = { event: EVENT, distinct_id: DISTINCT_ID, uuid, timestamp: isoTime(OCCURRED_AT) };
  const text = `${JSON.stringify(head).slice(0, -1)},"properties":{"$groups":{${groups.join(",")}}}}`;
  return { body: Buffer.from(text) };
}

/**
 * Resolves to `delivered` once PostHog took the claim, at once from then on and for fewer than two types; else to the
 * reason to wait, and the next caller tries again. One request at a time, whoever calls.
 */
export function createSlotClaimer(
  groupTypes: readonly string[],
  post: (claim: SlotClaim, signal: AbortSignal) => Promise<Outcome>,
): (signal: AbortSignal) => Promise<Outcome> {
  const claim = createSlotClaim(groupTypes);
  let claiming: Promise<Outcome> | null = groupTypes.length < 2 ? Promise.resolve(DELIVERED) : null;

  async function attempt(signal: AbortSignal): Promise<Outcome> {
    let isTaken = false;
    try {
      const outcome = await post(claim, signal);
      isTaken = outcome.kind === "delivered";
      if (outcome.kind === "dead") return blocked(waiting(outcome.reason));
      const isBlocked = outcome.kind === "retry" && outcome.cause === "blocked";
      return isBlocked ? { ...outcome, reason: waiting(outcome.reason) } : outcome;
    } finally {
      if (!isTaken) claiming = null;
    }
  }

  return (signal) => (claiming ??= attempt(signal));
}

function waiting(reason: string): string {
  return `the event that names the group types (claimGroupTypes) is not taken: ${reason}`;
}
