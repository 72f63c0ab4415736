/** kill -9 at random moments while calls come in and go out: what was answered arrives, once, in order. */

import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { FakePosthog } from "../fakes/posthog.ts";
import { arrivedByUser, expectedByUser } from "./arrivals.ts";
import { readEngineFile } from "./engine-file.ts";
import { startSender } from "./persistent-sender.ts";
import { eventually, MANY_PROCESSES, type Served, type Workplace } from "./prickle-process.ts";
import { createRig, type Rig, WRITE_KEY } from "./rig.ts";

let rig: Rig;
let posthog: FakePosthog;
let workplace: Workplace;

beforeEach(async () => {
  rig = await createRig({ posthog: { maxMessages: 50 } });
  ({ posthog, workplace } = rig);
});
afterEach(() => rig.remove());

it(
  "loses nothing it answered, repeats nothing and keeps each user's order over eight kills during ingest",
  MANY_PROCESSES,
  async () => {
    let served: Served | null = null;
    const sender = startSender({
      url: () => served?.url ?? null,
      writeKey: WRITE_KEY,
      senders: 4,
      callsPerRequest: 30,
    });
    for (let kill = 0; kill < 8; kill++) {
      served = await workplace.serve();
      await delay(50 + Math.random() * 400);
      const dying: Served = served;
      served = null;
      await dying.kill();
    }
    served = await workplace.serve();
    await delay(100);
    sender.stop();
    await sender.stopped;

    const expected = sender.count();
    expect(sender.retries()).toBeGreaterThan(0);
    expect(expected).toBeGreaterThan(500);
    await eventually(() => posthog.events().length >= expected);
    expect(arrivedByUser(posthog)).toEqual(expectedByUser(sender.acknowledged));
    await eventually(async () => (await workplace.ask<{ depth: number }>("status")).depth === 0);
    expect(await served.stop()).toBe(0);
    expect(await readEngineFile(workplace.dataDir)).toMatchObject({ events: expected, uuids: expected });
  },
);

it(
  "delivers everything once, in order, over six kills during delivery to a peer that drops connections",
  MANY_PROCESSES,
  async () => {
    posthog.failWhen(() => ({ kind: "status", status: 503 }));
    let served: Served | null = await workplace.serve();
    const sender = startSender({
      url: () => served?.url ?? null,
      writeKey: WRITE_KEY,
      senders: 4,
      callsPerRequest: 90,
    });
    await eventually(() => sender.count() > 3000);
    sender.stop();
    await sender.stopped;
    posthog.failWhen(() => {
      const dice = Math.random();
      if (dice < 0.2) return { kind: "applyThenDrop" };
      return dice < 0.3 ? { kind: "reset" } : { kind: "slow", release: delay(40) };
    });
    for (let kill = 0; kill < 6; kill++) {
      await delay(100 + Math.random() * 250);
      await served.kill();
      served = await workplace.serve();
    }
    posthog.failWhen(() => null);

    const expected = sender.count();
    await eventually(() => posthog.events().length >= expected);
    expect(arrivedByUser(posthog)).toEqual(expectedByUser(sender.acknowledged));
    expect(await served.stop()).toBe(0);
  },
);
