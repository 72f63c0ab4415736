/** Segment's own client and a server that is killed again and again on its port: what the client was told is taken arrives, once. */

import { setTimeout as delay } from "node:timers/promises";
import { Analytics } from "@segment/analytics-node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readEngineFile } from "./engine-file.ts";
import { eventually, freePort, MANY_PROCESSES, type Served } from "./prickle-process.ts";
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

type Traffic = "http_request" | "http_response";

interface Sending {
  readonly taken: Set<number>;
  readonly failed: Map<number, unknown>;
  readonly retries: () => number;
  /** Resolves when the client has said of each call what became of it. */
  readonly ended: Promise<void>;
  /** Acts in the very moment the client sends a request, or is told that its calls are taken. */
  at(moment: Traffic, act: () => void): void;
}

/** Sends every call on its own time. */
function startSending(): Sending {
  const taken = new Set<number>();
  const failed = new Map<number, unknown>();
  const client = new Analytics({
    writeKey: WRITE_KEY,
    host: `http://127.0.0.1:${port}`,
    flushAt: 5,
    flushInterval: 20,
    httpRequestTimeout: 2_000,
  });
  let retries = 0;
  client.on("http_request", ({ headers }) => {
    if ("X-Retry-Count" in headers) retries += 1;
  });
  const send = (number: number) =>
    new Promise<void>((resolve) => {
      const call = { userId: `user-${number % 20}`, event: "Counted", properties: { number } };
      client.track({ ...call, context: { groupId: `company-${number % 7}` } }, (failure) => {
        if (failure) failed.set(number, failure);
        else taken.add(number);
        resolve();
      });
    });
  async function sendAll(): Promise<void> {
    const sent: Promise<void>[] = [];
    for (let number = 0; number < CALLS; number++) {
      sent.push(send(number));
      if (number % 5 === 4) await delay(25);
    }
    await Promise.all(sent);
    await client.closeAndFlush();
  }

  const at = (moment: Traffic, act: () => void) => void client.once(moment, act);
  return { taken, failed, retries: () => retries, ended: sendAll(), at };
}

/** Comes back when the server was killed: with a request on its way to it, or with an answer just come from it. */
async function killAt(moment: Traffic, { at }: Sending, { process, ended }: Served): Promise<void> {
  at(moment, () => process.kill("SIGKILL"));
  await ended;
}

it(
  "brings everything Segment's client was told is taken, once, over four kills and restarts on one port",
  MANY_PROCESSES,
  async () => {
    const { posthog, workplace } = rig;
    const chance = createChance(4700);
    let served = await workplace.serve();
    const sending = startSending();
    for (let kill = 0; kill < KILLS; kill++) {
      await delay(chance.below(250));
      await killAt(kill % 2 === 0 ? "http_response" : "http_request", sending, served);
      served = await workplace.serve();
    }
    await sending.ended;

    expect(sending.retries()).toBeGreaterThan(0);
    expect(sending.failed).toEqual(new Map());
    expect(sending.taken.size).toBe(CALLS);
    await eventually(() => posthog.events().length >= CALLS);
    const numbers = posthog.events().map(({ properties }) => Number(properties.number));
    expect(numbers.sort((one, other) => one - other)).toEqual(Array.from({ length: CALLS }, (_, number) => number));
    expect(posthog.events().every(({ properties }) => Object.hasOwn(Object(properties.$groups), "company"))).toBe(true);
    await eventually(async () => (await workplace.ask<{ depth: number }>("status")).depth === 0);
    expect(await served.stop()).toBe(0);
    expect(await readEngineFile(workplace.dataDir)).toMatchObject({ events: CALLS, uuids: CALLS });
  },
);
