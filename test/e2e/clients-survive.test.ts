/** Segment's own client and a server that is killed again and again on its port: what the client was told is taken arrives, once. */

import { setTimeout as delay } from "node:timers/promises";
import { Analytics } from "@segment/analytics-node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readEngineFile } from "./engine-file.ts";
import { eventually, freePort } from "./prickle-process.ts";
import { createRig, type Rig, WRITE_KEY } from "./rig.ts";
import { createChance } from "./seeded.ts";

const CALLS = 500;
const KILLS = 4;

let rig: Rig;
let port: number;

beforeEach(async () => {
  port = await freePort();
  rig = await createRig({ port });
});
afterEach(() => rig.remove());

interface Told {
  readonly taken: Set<number>;
  readonly failed: Map<number, unknown>;
  retries: number;
}

/** Sends every call on its own time; resolves when the client has said of each what became of it. */
async function sendAll(told: Told): Promise<void> {
  const client = new Analytics({
    writeKey: WRITE_KEY,
    host: `http://127.0.0.1:${port}`,
    flushAt: 5,
    flushInterval: 20,
    httpRequestTimeout: 2_000,
  });
  client.on("http_request", ({ headers }) => {
    if ("X-Retry-Count" in headers) told.retries += 1;
  });
  const send = (number: number) =>
    new Promise<void>((resolve) => {
      const call = { userId: `user-${number % 20}`, event: "Counted", properties: { number } };
      client.track({ ...call, context: { groupId: `company-${number % 7}` } }, (failure) => {
        if (failure) told.failed.set(number, failure);
        else told.taken.add(number);
        resolve();
      });
    });
  const sent: Promise<void>[] = [];
  for (let number = 0; number < CALLS; number++) {
    sent.push(send(number));
    if (number % 5 === 4) await delay(25);
  }
  await Promise.all(sent);
  await client.closeAndFlush();
}

it("brings everything Segment's client was told is taken, once, over four kills and restarts on one port", async () => {
  const { posthog, workplace } = rig;
  const chance = createChance(4700);
  const told: Told = { taken: new Set(), failed: new Map(), retries: 0 };
  let served = await workplace.serve();
  const sending = sendAll(told);
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(150 + chance.below(350));
    await served.kill();
    served = await workplace.serve();
  }
  await sending;

  expect(told.retries).toBeGreaterThan(0);
  expect(told.failed).toEqual(new Map());
  expect(told.taken.size).toBe(CALLS);
  await eventually(() => posthog.events().length >= CALLS);
  const numbers = posthog.events().map(({ properties }) => Number(properties.number));
  expect(numbers.sort((one, other) => one - other)).toEqual(Array.from({ length: CALLS }, (_, number) => number));
  expect(posthog.events().every(({ properties }) => Object.hasOwn(Object(properties.$groups), "company"))).toBe(true);
  await eventually(async () => (await workplace.ask<{ depth: number }>("status")).depth === 0);
  expect(await served.stop()).toBe(0);
  expect(await readEngineFile(workplace.dataDir)).toMatchObject({ events: CALLS, uuids: CALLS });
});
