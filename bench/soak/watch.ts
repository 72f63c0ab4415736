/** Looks at every request the fake PostHog gets, decides how it fails, and notes what must never happen. */

import type { Failure, FakePosthog, UnreadFailure } from "../../test/fakes/posthog.ts";

export interface Watch {
  /** What must never happen, and did. */
  readonly faults: readonly string[];
  /** How often each failure was made. */
  readonly made: ReadonlyMap<string, number>;
  /** Uuids whose last final answer was a drop. */
  dropped(): ReadonlySet<string>;
  /** Uuid → the event's number, of all that was ever sent. */
  readonly sent: ReadonlyMap<string, SentEvent>;
  /** prickle was killed: what it had no time to note down may come again. */
  noteKill(): void;
  /** Of each kill: how many uuids came again after it although their answer was final. */
  repeatedAfterKills(): readonly number[];
  /** Final answers that were given so long before a kill that their events must not come again. */
  readonly mustBeNoted: number;
  /** From now on nothing fails. */
  calm(): void;
}

export interface SentEvent {
  readonly event: string;
  readonly distinctId: string;
  readonly timestamp: string;
  readonly key: string;
  readonly number: number;
}

/** A claim is settled within its lease, and while it is open its first answers are noted nowhere; the rest is for a slow disk. */
const SETTLING_MS = 500;
const RESULTS = ["retry", "retry", "retry", "warning", "absent"] as const;
const OUTAGE_CHANCE = 0.02;
const LONGEST_OUTAGE_MS = 2000;
const STORED = ["all", "firstHalf", "everyOther"] as const;
const STATUSES = [408, 429, 500, 502, 503, 504] as const;

interface Answered {
  readonly result: string;
  readonly at: number;
  readonly kills: number;
}

/** `leaseMs`: of prickle's claims. */
export function watch(posthog: FakePosthog, leaseMs: number, random: () => number): Watch {
  const faults: string[] = [];
  const made = new Map<string, number>();
  const sent = new Map<string, SentEvent>();
  const final = new Map<string, Answered>();
  /** Key → number of the last event of it that came for the first time. */
  const lastOf = new Map<string, number>();
  const killedAt: number[] = [];
  const repeated: Set<string>[] = [];
  const settledWithinMs = leaseMs + SETTLING_MS;
  let mustBeNoted = 0;
  let isCalm = false;
  let downUntil = 0;

  function look(text: string): void {
    for (const raw of JSON.parse(text).batch) {
      const { uuid, event, distinct_id: distinctId, timestamp, properties } = raw;
      const before = sent.get(uuid);
      noteFinal(uuid);
      if (before) {
        const isSame = before.timestamp === timestamp && before.event === event && before.distinctId === distinctId;
        if (!isSame) faults.push(`${uuid} came with another time, name or id`);
        continue;
      }
      const number = Number(properties.$group_set?.number ?? properties.$set?.number ?? properties.number);
      const key = event === "$groupidentify" ? `group ${properties.$group_key}` : `${event} ${distinctId}`;
      sent.set(uuid, { event, distinctId, timestamp, key, number });
      if (event === "Counted") continue; // Their order is that of their timestamps.
      if (number <= (lastOf.get(key) ?? -1)) faults.push(`${key}: ${number} came after ${lastOf.get(key)}`);
      lastOf.set(key, number);
    }
  }

  /** It may come again only where a kill kept prickle from noting the answer down. */
  function noteFinal(uuid: string): void {
    const answered = final.get(uuid);
    if (!answered) return;
    const { at, kills, result } = answered;
    if (mayBeUnnoted(at, killedAt[kills])) repeated[kills]?.add(uuid);
    else faults.push(`${uuid} came again ${Date.now() - at} ms after its final answer, ${result}`);
  }

  function mayBeUnnoted(answeredAt: number, nextKillAt = Number.POSITIVE_INFINITY): boolean {
    return nextKillAt - answeredAt < settledWithinMs;
  }

  function decideUnread(): UnreadFailure | null {
    const dice = random();
    if (isCalm || dice > 0.02) return null;
    const at = random() < 0.5 ? "head" : "body";
    return { kind: dice > 0.002 ? "reset" : "hang", at };
  }

  function decide(uuids: readonly string[], protocol: "v0" | "v1"): Failure | null {
    if (isCalm) return null;
    // Now and then it is down for a while, so that prickle has to find out when it is back.
    if (random() < OUTAGE_CHANCE) downUntil = Date.now() + LONGEST_OUTAGE_MS * random();
    if (Date.now() < downUntil) return status(503);
    const dice = random();
    if (dice > 0.15) return null;
    if (dice > 0.1) return protocol === "v1" ? partial(uuids) : null;
    if (dice > 0.05) return status(STATUSES[Math.floor(random() * STATUSES.length)] ?? 500);
    if (dice > 0.035) return { kind: "reset" };
    if (dice > 0.02) return { kind: "applyThenDrop" };
    if (dice > 0.012) return { kind: "truncatedAnswer" };
    if (dice > 0.01) return { kind: "hang" };
    if (dice > 0.008) return { kind: "drip", everyMs: 200 };
    return { kind: "slow", release: new Promise((resolve) => setTimeout(resolve, 300 * random())) };
  }

  function status(code: number): Failure {
    const stores = random() < 0.4 ? STORED[Math.floor(random() * STORED.length)] : undefined;
    const retryAfter = random() < 0.3 ? { retryAfter: "1" } : {};
    return { kind: "status", status: code, ...retryAfter, ...(stores ? { stores } : {}) };
  }

  function partial(uuids: readonly string[]): Failure {
    const told = uuids.flatMap((uuid) => {
      const result = random() < 0.1 ? RESULTS[Math.floor(random() * RESULTS.length)] : undefined;
      return result === undefined ? [] : [[uuid, result === "absent" ? null : { result }] as const];
    });
    return { kind: "results", results: Object.fromEntries(told) };
  }

  /** PostHog drops some for good: always the same ones, of those that are counted only. */
  function withDrops(failure: Failure | null, uuids: readonly string[], protocol: "v0" | "v1"): Failure | null {
    const doomed = protocol === "v1" ? uuids.filter((uuid) => uuid.endsWith("77") && isCounted(uuid)) : [];
    if (doomed.length === 0 || (failure !== null && failure.kind !== "results")) return failure;
    const drops = doomed.map((uuid) => [uuid, { result: "drop", details: "event_restriction_drop" }] as const);
    return { kind: "results", results: { ...failure?.results, ...Object.fromEntries(drops) } };
  }

  const isCounted = (uuid: string) => sent.get(uuid)?.event === "Counted";

  function noteAnswers(failure: Failure | null, uuids: readonly string[]): void {
    if (failure !== null && failure.kind !== "results" && failure.kind !== "slow") return;
    const results = failure?.kind === "results" ? failure.results : {};
    for (const uuid of uuids) {
      const told = results[uuid];
      const result = told === null ? "absent" : (told?.result ?? "ok");
      if (result !== "retry") final.set(uuid, { result, at: Date.now(), kills: killedAt.length });
    }
  }

  function count(name: string): void {
    made.set(name, 1 + (made.get(name) ?? 0));
  }

  posthog.failWhen((uuids, protocol) => {
    look(posthog.requests.at(-1)?.text ?? "");
    posthog.forgetRequests();
    const failure = withDrops(decide(uuids, protocol), uuids, protocol);
    noteAnswers(failure, uuids);
    count(`${protocol} ${nameOf(failure)}`);
    return failure;
  });
  posthog.failUnread(() => {
    const failure = decideUnread();
    if (failure) count(`unread ${failure.kind}`);
    return failure;
  });

  return {
    faults,
    made,
    sent,
    dropped: () => new Set([...final].flatMap(([uuid, { result }]) => (result === "drop" ? [uuid] : []))),
    noteKill() {
      const now = Date.now();
      for (const { at, kills } of final.values()) {
        if (kills === killedAt.length && !mayBeUnnoted(at, now)) mustBeNoted += 1;
      }
      killedAt.push(now);
      repeated.push(new Set());
    },
    repeatedAfterKills: () => repeated.map(({ size }) => size),
    get mustBeNoted() {
      return mustBeNoted;
    },
    calm() {
      isCalm = true;
    },
  };
}

function nameOf(failure: Failure | null): string {
  if (failure === null) return "none";
  if (failure.kind !== "status") return failure.kind;
  return failure.stores ? `${failure.status} after storing` : `${failure.status}`;
}
