/** Delivery to PostHog on loopback: whatever goes wrong on the way, the end is that of a day without failures. */

import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import { groupIdentifies, groupIdentify, uuidOf } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog, type UnreadFailure } from "../fakes/posthog.ts";
import { createRig, isInLaneOrder } from "./delivery-rig.ts";
import { drain, firstSent, lastStored } from "./posthog-drain.ts";

let posthog: FakePosthog;

beforeEach(async () => {
  posthog = await startFakePosthog();
});

afterEach(() => posthog.close());

const FAILURES: Readonly<Record<string, Failure>> = {
  "a 500": { kind: "status", status: 500 },
  "a 429": { kind: "status", status: 429 },
  "a 429 with Retry-After": { kind: "status", status: 429, retryAfter: "30" },
  "a 413": { kind: "status", status: 413 },
  "a refused token": { kind: "status", status: 401 },
  "a reset": { kind: "reset" },
  "a hang": { kind: "hang" },
  "acceptance and a dropped connection": { kind: "applyThenDrop" },
  "a truncated answer": { kind: "truncatedAnswer" },
  "a batch thrown away for its quota": { kind: "quotaLimited" },
  "a drip": { kind: "drip", everyMs: 5 },
  "a 503 after all was stored": { kind: "status", status: 503, stores: "all" },
  "a 504 after all was stored": { kind: "status", status: 504, stores: "all" },
  "a 500 after the first half was stored": { kind: "status", status: 500, stores: "firstHalf" },
  "a 503 after every other one was stored": { kind: "status", status: 503, stores: "everyOther" },
  "a 413 after every other one was stored": { kind: "status", status: 413, stores: "everyOther" },
};
/** Nobody knows what is in a request that is not read. */
const UNREAD: Readonly<Record<string, UnreadFailure>> = {
  "a reset before the body is read": { kind: "reset", at: "head" },
  "a reset while the body is read": { kind: "reset", at: "body" },
  "a hang before the body is read": { kind: "hang", at: "head" },
  "a hang while the body is read": { kind: "hang", at: "body" },
};
const PROTOCOLS = ["v0", "v1"] as const;

it.each(
  Object.entries({ ...FAILURES, ...UNREAD }).flatMap(([name, failure]) =>
    PROTOCOLS.map((protocol) => [protocol, name, failure] as const),
  ),
)("brings everything once and in lane order by %s after %s", async (protocol, _, failure) => {
  const messages = groupIdentifies(60);
  posthog.failNext(failure, null, failure, failure);
  const { ledger } = await drain(posthog, messages, { protocol });
  expect(posthog.events()).toHaveLength(60);
  expect(ledger.delivered).toHaveLength(60);
  expect(ledger.dead).toEqual([]);
  expect(isInLaneOrder(firstSent(posthog), messages)).toBe(true);
  expect(isInLaneOrder(lastStored(posthog), messages)).toBe(true);
  const sequences = [...posthog.groups.values()].map(({ sequence }) => sequence);
  expect(sequences.toSorted()).toEqual(Array.from({ length: 20 }, (_, key) => 40 + key));
});

it("lets other lanes go on while one message makes every request fail that carries it", async () => {
  const messages = [groupIdentify("stuck", 0), ...groupIdentifies(80).slice(1)];
  const lane = messages[0]?.lane;
  let isBroken = true;
  posthog.failWhen((uuids) => (isBroken && uuids.includes(uuidOf(0)) ? { kind: "status", status: 500 } : null));
  const clock = createManualClock();
  const ledger = createMemoryLedger("posthog", clock);
  ledger.put(messages);
  const options = { name: "posthog", host: posthog.url, token: "phc_test", version: "1.0.0", maxMessages: 10 };
  const destination = createPosthogDestination({ ...options, protocol: "v0", messagesPerSecond: null, lingerMs: 0 });
  const rig = createRig(destination, () => ledger, { clock });
  rig.delivery.start();
  await rig.until(() => ledger.delivered.length === messages.filter((message) => message.lane !== lane).length);
  isBroken = false;
  await rig.drain();
  expect(ledger.delivered).toHaveLength(80);
  expect(isInLaneOrder(firstSent(posthog), messages)).toBe(true);
  await rig.delivery.stop(1000);
  await destination.close();
});

it("ends, after any series of failures, as a day without failures does", async () => {
  const failure = fc.option(fc.constantFrom(...Object.values(FAILURES)), { freq: 3 });
  const poison = fc.uniqueArray(fc.nat(49), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(failure, { maxLength: 12 }),
      poison,
      fc.integer({ min: 1, max: 12 }),
      async (script, wrong, keys) => {
        const messages = groupIdentifies(50, keys).map((message, index) =>
          wrong.includes(index)
            ? { ...message, json: message.json.replace(`"event":"$groupidentify"`, `"event":""`) }
            : message,
        );
        const [faulty, faultless] = await Promise.all([startFakePosthog(), startFakePosthog()]);
        faulty.failWhen(scripted(script));
        const ends = [await drain(faulty, messages), await drain(faultless, messages)];
        await Promise.all([faulty.close(), faultless.close()]);
        const [end, calmEnd] = ends.map(({ ledger }) => ({
          dead: ledger.dead.map(({ uuid }) => uuid).toSorted(),
          delivered: ledger.delivered.toSorted(),
        }));
        expect(end).toEqual(calmEnd);
        expect(end?.dead).toEqual(wrong.map(uuidOf).toSorted());
        expect(sorted(faulty)).toEqual(sorted(faultless));
        expect(faulty.groups).toEqual(faultless.groups);
        expect(isInLaneOrder(firstSent(faulty), messages)).toBe(true);
        expect(isInLaneOrder(lastStored(faulty), messages)).toBe(true);
      },
    ),
    { numRuns: 15 },
  );
});

/** What is answered is heard, however busy the machine is. */
const PATIENT_MS = 30_000;
const SLOW: ReadonlySet<string> = new Set(["hang", "drip"]);

/** The order in which PostHog applied the properties of each group is that of the outbox, whatever results came. */
it("ends by v1, after any series of failures and partial results, with the right groups, each message settled once", async () => {
  const failure = fc.option(
    fc.oneof(
      fc.constantFrom(...Object.values(FAILURES).filter((one) => !SLOW.has(one.kind) && !isTooLarge(one))),
      fc.array(fc.constantFrom("ok", "ok", "retry", "drop", "warning", "absent"), { minLength: 1, maxLength: 5 }),
    ),
    { freq: 3 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(failure, { maxLength: 14 }), fc.integer({ min: 1, max: 12 }), async (script, keys) => {
      const messages = groupIdentifies(50, keys);
      const target = await startFakePosthog();
      const final = new Map<string, string>();
      const left = [...script];
      const sentAfterTheEnd: string[] = [];
      target.failWhen((uuids) => {
        sentAfterTheEnd.push(...uuids.filter((uuid) => final.has(uuid)));
        const next = left.shift() ?? null;
        if (next !== null && !Array.isArray(next)) return next;
        const told = uuids.map((uuid, at) => [uuid, next?.[at % next.length] ?? "ok"] as const);
        for (const [uuid, result] of told) if (result !== "retry") final.set(uuid, result);
        const results = told.map(([uuid, result]) => [uuid, result === "absent" ? null : { result }] as const);
        return { kind: "results", results: Object.fromEntries(results) };
      });
      const { ledger } = await drain(target, messages, { protocol: "v1", timeoutMs: PATIENT_MS });
      await target.close();
      expect(sentAfterTheEnd).toEqual([]);
      const dropped = messages.filter(({ uuid }) => final.get(uuid) === "drop").map(({ uuid }) => uuid);
      expect(ledger.dead.map(({ uuid }) => uuid).toSorted()).toEqual(dropped);
      expect(target.events()).toHaveLength(50 - dropped.filter((uuid) => !target.arrivals.includes(uuid)).length);
      for (let key = 0; key < keys; key++) {
        const own = messages.filter((_, sequence) => sequence % keys === key).map(({ uuid }) => uuid);
        const sent = firstSent(target).filter((uuid) => own.includes(uuid));
        expect(sent).toEqual(sent.toSorted());
        const last = [...target.arrivals].reverse().find((uuid) => own.includes(uuid));
        expect(target.groups.get(`company\0company-${key}`)?.sequence).toBe(last && Number(last.slice(-4)));
      }
    }),
    { numRuns: 15 },
  );
});

/** A single event is never refused for the size of the batch: a 413 waits for a larger one. */
function scripted(script: readonly (Failure | null)[]): (uuids: readonly string[]) => Failure | null {
  const left = [...script];
  return (uuids) => {
    const [next] = left;
    if (next && isTooLarge(next) && uuids.length === 1) return null;
    return left.shift() ?? null;
  };
}

function isTooLarge(failure: Failure): boolean {
  return failure.kind === "status" && failure.status === 413;
}

function sorted(target: FakePosthog) {
  return target.events().toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
}
