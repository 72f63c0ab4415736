/** Delivery to a fake PostHog until nothing waits, on a clock that both go by, and the order in which it went there. */

import type { OutgoingMessage } from "../../src/core/message.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import type { FakePosthog } from "../fakes/posthog.ts";
import { createRig, createWorkClock } from "./delivery-rig.ts";

export type DrainOptions = Partial<Omit<PosthogOptions, "clock">> & {
  readonly clock?: ReturnType<typeof createManualClock>;
};

export async function drain(target: FakePosthog, messages: readonly OutgoingMessage[], options: DrainOptions = {}) {
  const { clock = createManualClock(), ...more } = options;
  const work = createWorkClock(clock);
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
    protocol: "v0",
    ...more,
    clock: work,
  });
  const rig = createRig(destination, () => ledger, { clock, resting: work.resting });
  await rig.drain();
  await rig.delivery.stop(1000);
  await destination.close();
  return { ledger, rig };
}

/** Uuids in the order in which each was sent for the first time. */
export function firstSent({ requests }: FakePosthog): readonly string[] {
  return [...new Set(requests.flatMap(({ uuids }) => uuids))];
}

/** Uuids in the order in which each was stored for the last time: it is by this one that groups are as they are. */
export function lastStored({ arrivals }: FakePosthog): readonly string[] {
  return [...new Set(arrivals.toReversed())].toReversed();
}
