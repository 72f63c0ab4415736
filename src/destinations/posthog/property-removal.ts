/** Removes properties of groups: `POST /api/projects/:id/groups/delete_property` (facts: PostHog's private API, 7, 2026-11). */

import { DELIVERED, type Outcome } from "../../core/destination.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "../../platform/http-client.ts";
import { quote } from "./answer.ts";
import { type ProjectOptions, privateApi, readProjectGroupTypes } from "./project.ts";

export interface PropertyRemover {
  /** Delivers a message that removes properties: one request each. Removing again what is gone changes nothing. */
  remove(body: Uint8Array, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface PropertyRemoverOptions extends ProjectOptions {
  readonly now: () => number;
}

const MINUTE_MS = 60_000;
/** PostHog allows 480 a minute and 4,800 an hour; others ask it too. */
const REQUESTS_PER_MINUTE = 60;
const DEFAULT_TIMEOUT_MS = 10_000;

export function createPropertyRemover(options: PropertyRemoverOptions): PropertyRemover {
  const { personalApiKey, now, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { origin, base, headers: own } = privateApi(options);
  const headers = { ...own, "content-type": "application/json" };
  const client = createHttpClient({ origin, connections: 1, timeoutMs });
  const spend = createBudget(now);
  let indexes = new Map<string, number>();

  /** Asks for what is not known yet. */
  async function indexOf(groupType: string): Promise<number | string> {
    const known = indexes.get(groupType);
    if (known !== undefined) return known;
    if (!spend()) return BUDGET_SPENT;
    const answer = await readProjectGroupTypes(options);
    if ("reason" in answer) return answer.reason;
    indexes = new Map(answer.groupTypes.map(({ groupType: type, index }) => [type, index]));
    return indexes.get(groupType) ?? `the project has no group type "${groupType}" yet`;
  }

  async function removeOne(path: string, name: string, signal: AbortSignal): Promise<Outcome> {
    if (!spend()) return { kind: "retry", reason: BUDGET_SPENT };
    try {
      const body = Buffer.from(JSON.stringify({ $unset: name }));
      return outcomeOf(await client.post({ path, headers, body, signal }), personalApiKey);
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      return { kind: "retry", reason: `PostHog's private API was not reached: ${thrown.message}` };
    }
  }

  /** How many of its properties a message that has to wait has removed already, by its text. */
  const progress = new Map<string, number>();

  return {
    async remove(body, signal) {
      const text = Buffer.from(body).toString();
      const { $group_type, $group_key, $group_unset } = JSON.parse(text).properties;
      const index = await indexOf($group_type);
      if (typeof index === "string") return { kind: "retry", reason: index };
      const path = `${base}/groups/delete_property?group_type_index=${index}&group_key=${encodeURIComponent($group_key)}`;
      for (let at = progress.get(text) ?? 0; at < $group_unset.length; at++) {
        const outcome = await removeOne(path, $group_unset[at], signal);
        if (outcome.kind === "dead") progress.delete(text);
        if (outcome.kind === "retry" && at > 0) progress.set(text, at);
        if (outcome.kind !== "delivered") return outcome;
      }
      progress.delete(text);
      return DELIVERED;
    },
    close: () => client.close(),
  };
}

const BUDGET_SPENT = `the budget of ${REQUESTS_PER_MINUTE} requests a minute to PostHog's private API is spent`;

/** A key that may not write keeps nobody waiting: what it could not remove is kept with the dead letters, to be replayed. */
function outcomeOf({ status, body }: HttpAnswer, key: string): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const answered = `PostHog's private API answered ${status}: ${quote(body).replaceAll(key, "…")}`;
  if (status === 401 || status === 403) {
    return { kind: "dead", reason: `${answered}; a personal API key with the scope group:write is needed` };
  }
  // The group may be on its way: PostHog takes events before it makes groups of them.
  const isPassing = status === 404 || status === 408 || status === 429 || status >= 500;
  return { kind: isPassing ? "retry" : "dead", reason: answered };
}

/** False when it is spent. */
function createBudget(now: () => number): () => boolean {
  let spentAt: number[] = [];
  return () => {
    spentAt = spentAt.filter((at) => at > now() - MINUTE_MS);
    if (spentAt.length >= REQUESTS_PER_MINUTE) return false;
    spentAt.push(now());
    return true;
  };
}
