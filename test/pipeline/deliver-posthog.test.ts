/** Delivery to PostHog on loopback: whatever goes wrong on the way, the end is that of a day without failures. */

import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { OutgoingMessage } from "../../src/core/message.ts";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import { groupIdentifies, groupIdentify, uuidOf } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createRig, isInLaneOrder } from "./delivery-rig.ts";

let posthog: FakePosthog;

beforeEach(async () => {
  posthog = await startFakePosthog();
});

afterEach(() => posthog.close());

async function drain(target: FakePosthog, messages: readonly OutgoingMessage[]) {
  const clock = createManualClock();
  const ledger = createMemoryLedger("posthog", clock);
  ledger.put(messages);
  const destination = createPosthogDestination({
    name: "posthog",
    host: target.url,
    token: "phc_test",
    version: "1.0.0",
    maxMessages: 10,
    messagesPerSecond: null,
    lingerMs: 0,
    timeoutMs: 60,
    now: clock.now,
  });
  const rig = createRig(destination, () => ledger, { clock });
  await rig.drain();
  await rig.delivery.stop(1000);
  await destination.close();
  return { ledger, rig };
}

function firstArrivals(target: FakePosthog): readonly string[] {
  return [...new Set(target.arrivals)];
}

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
};

it.each(Object.entries(FAILURES))("brings everything once and in lane order after %s", async (_, failure) => {
  const messages = groupIdentifies(60);
  posthog.failNext(failure, null, failure, failure);
  const { ledger } = await drain(posthog, messages);
  expect(posthog.events()).toHaveLength(60);
  expect(ledger.delivered).toHaveLength(60);
  expect(ledger.dead).toEqual([]);
  expect(isInLaneOrder(firstArrivals(posthog), messages)).toBe(true);
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
  const destination = createPosthogDestination({ ...options, messagesPerSecond: null, lingerMs: 0 });
  const rig = createRig(destination, () => ledger, { clock });
  rig.delivery.start();
  await rig.until(() => ledger.delivered.length === messages.filter((message) => message.lane !== lane).length);
  isBroken = false;
  await rig.drain();
  expect(ledger.delivered).toHaveLength(80);
  expect(isInLaneOrder(firstArrivals(posthog), messages)).toBe(true);
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
        expect(isInLaneOrder(firstArrivals(faulty), messages)).toBe(true);
      },
    ),
    { numRuns: 15 },
  );
});

/** A single event is never refused for the size of the batch: a 413 waits for a larger one. */
function scripted(script: readonly (Failure | null)[]): (uuids: readonly string[]) => Failure | null {
  const left = [...script];
  return (uuids) => {
    const [next] = left;
    if (next === FAILURES["a 413"] && uuids.length === 1) return null;
    return left.shift() ?? null;
  };
}

function sorted(target: FakePosthog) {
  return target.events().toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
}
