/** Removes properties of groups: `POST /api/projects/:id/groups/delete_property` (facts: PostHog's private API, 7, 2026-11). */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import type { OutboxMessage } from "../../core/message.ts";
import { quote } from "./answer.ts";
import type { ApiAnswer, ProjectApi } from "./private-api/client.ts";
import { readGroupTypes } from "./private-api/group-types.ts";

export interface PropertyRemover {
  /** Delivers a message that removes properties: one request each. Removing again what is gone changes nothing. */
  remove(message: Removal, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

type Removal = Pick<OutboxMessage, "body" | "firstAttemptAt">;

/** Absent: the group is not there. */
type Attempt = Outcome | { readonly kind: "absent"; readonly reason: string };

/**
 * PostHog makes groups of events some time after it took them. One that is not there after so long never will be, and has
 * no property to lose; a lane must not wait for it.
 */
const GROUP_WAIT_MS = 15 * 60_000;

/** `api` has the key's scope `group:write`, and is closed with the remover. */
export function createPropertyRemover(api: ProjectApi, now: () => number): PropertyRemover {
  let indexes = new Map<string, number>();

  /** Asks for what is not known yet. */
  async function indexOf(groupType: string, signal: AbortSignal): Promise<number | Attempt> {
    const known = indexes.get(groupType);
    if (known !== undefined) return known;
    const answer = await readGroupTypes(api, signal);
    if ("reason" in answer) {
      const isRefused = answer.kind === "refused";
      return isRefused ? { kind: "dead", reason: `${answer.reason}. ${answer.hint}` } : waitOf(answer);
    }
    indexes = new Map(answer.groupTypes.map(({ groupType: type, index }) => [type, index]));
    const reason = `the project has no group type "${groupType}" yet`;
    return indexes.get(groupType) ?? { kind: "absent", reason };
  }

  /** How many of its properties a message that has to wait has removed already, by its text. */
  const progress = new Map<string, number>();

  async function removeAll(text: string, signal: AbortSignal): Promise<Attempt> {
    const { $group_type, $group_key, $group_unset } = JSON.parse(text).properties;
    const index = await indexOf($group_type, signal);
    if (typeof index !== "number") return index;
    const path = `/groups/delete_property?group_type_index=${index}&group_key=${encodeURIComponent($group_key)}`;
    for (let at = progress.get(text) ?? 0; at < $group_unset.length; at++) {
      const attempt = attemptOf(await api.post(path, { $unset: $group_unset[at] }, signal), api.personalApiKey);
      if (at > 0) progress.set(text, at);
      if (attempt.kind !== "delivered") return attempt;
    }
    return DELIVERED;
  }

  return {
    async remove({ body, firstAttemptAt }, signal) {
      const text = Buffer.from(body).toString();
      const attempt = await removeAll(text, signal);
      const hasWaited = firstAttemptAt !== null && now() - firstAttemptAt >= GROUP_WAIT_MS;
      const outcome = attempt.kind !== "absent" ? attempt : hasWaited ? nothingThere(attempt) : waitOf(attempt);
      if (outcome.kind === "delivered" || outcome.kind === "dead") progress.delete(text);
      return outcome;
    },
    close: () => api.close(),
  };
}

/** A pause that is asked for is one of removals only, and so is trouble: events have nothing to do with it. */
function waitOf({ reason, afterMs }: { readonly reason: string; readonly afterMs?: number }): Outcome {
  return afterMs === undefined ? { kind: "retry", reason, cause: "apart" } : { kind: "later", reason, afterMs };
}

function nothingThere({ reason }: { readonly reason: string }): Outcome {
  return { kind: "delivered", note: `there was nothing to remove: ${reason}`, code: "group_absent" };
}

/** A key that may not write keeps nobody waiting: what it could not remove is kept with the dead letters, to be replayed. */
function attemptOf(answer: ApiAnswer, key: string): Attempt {
  if (answer.kind !== "answered") return waitOf(answer);
  const { status, body } = answer;
  if (status >= 200 && status < 300) return DELIVERED;
  const answered = `PostHog's private API answered ${status}: ${quote(body).replaceAll(key, "…")}`;
  if (status === 401 || status === 403) {
    return { kind: "dead", reason: `${answered}; a personal API key with the scope group:write is needed` };
  }
  // The group may be on its way: PostHog takes events before it makes groups of them.
  if (status === 404) return { kind: "absent", reason: answered };
  return status === 408 || status >= 500 ? waitOf({ reason: answered }) : { kind: "dead", reason: answered };
}
