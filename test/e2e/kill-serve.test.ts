/** kill -9 at random moments while calls come in and go out: what was answered arrives, once, in order. */

import { setTimeout as delay } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { startSender } from "./persistent-sender.ts";
import { createWorkplace, eventually, type Served, type Workplace } from "./prickle-process.ts";

const WRITE_KEY = "wk_test";

let posthog: FakePosthog;
let workplace: Workplace;

beforeEach(async () => {
  posthog = await startFakePosthog();
  workplace = await createWorkplace(
    {
      server: { port: 0 },
      sources: { segment: { type: "segment", writeKeys: [WRITE_KEY] } },
      destinations: {
        engine: { type: "engine" },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
        posthog: { type: "posthog", host: posthog.url, token: "${TOKEN}", maxMessages: 50, messagesPerSecond: null },
      },
    },
    { TOKEN: "phc_test" },
  );
});
afterEach(async () => {
  await workplace.remove();
  await posthog.close();
});

/** Numbers of each user's calls, in the order of their first arrival. */
function arrivedByUser(): Map<string, number[]> {
  const events = new Map(posthog.events().map((event) => [event.uuid, event]));
  const byUser = new Map<string, number[]>();
  for (const uuid of new Set(posthog.arrivals)) {
    const { distinctId = "?", properties = {} } = events.get(uuid) ?? {};
    const numbers = byUser.get(distinctId) ?? [];
    byUser.set(distinctId, numbers);
    numbers.push(Number(properties.number));
  }
  return byUser;
}

function expectedByUser(acknowledged: ReadonlyMap<string, number>): Map<string, number[]> {
  return new Map(
    [...acknowledged].map(([user, calls]) => [user, Array.from({ length: calls }, (_, number) => number)]),
  );
}

function sorted<Value>(byUser: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...byUser].sort(([one], [other]) => (one < other ? -1 : 1));
}

async function engineCounts(): Promise<unknown> {
  const instance = await DuckDBInstance.create(`${workplace.dataDir}/engine.duckdb`, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    "SELECT count(*)::INTEGER AS events, count(DISTINCT uuid)::INTEGER AS uuids FROM events",
  );
  connection.closeSync();
  instance.closeSync();
  return reader.getRowObjectsJson()[0];
}

it("loses nothing it answered, repeats nothing and keeps each user's order over eight kills during ingest", async () => {
  let served: Served | null = null;
  const sender = startSender({ url: () => served?.url ?? null, writeKey: WRITE_KEY, senders: 4, callsPerRequest: 30 });
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

  const expected = [...sender.acknowledged.values()].reduce((sum, calls) => sum + calls, 0);
  expect(sender.retries()).toBeGreaterThan(0);
  expect(expected).toBeGreaterThan(500);
  await eventually(() => posthog.events().length >= expected);
  expect(sorted(arrivedByUser())).toEqual(sorted(expectedByUser(sender.acknowledged)));
  await eventually(async () => JSON.parse((await workplace.run("status", "--json").ended).stdout).depth === 0);
  expect(await served.stop()).toBe(0);
  expect(await engineCounts()).toEqual({ events: expected, uuids: expected });
});

it("delivers everything once, in order, over six kills during delivery to a peer that drops connections", async () => {
  posthog.failWhen(() => ({ kind: "status", status: 503 }));
  let served: Served | null = await workplace.serve();
  const sender = startSender({ url: () => served?.url ?? null, writeKey: WRITE_KEY, senders: 4, callsPerRequest: 90 });
  await eventually(() => [...sender.acknowledged.values()].reduce((sum, calls) => sum + calls, 0) > 3000);
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

  const expected = [...sender.acknowledged.values()].reduce((sum, calls) => sum + calls, 0);
  await eventually(() => posthog.events().length >= expected);
  expect(sorted(arrivedByUser())).toEqual(sorted(expectedByUser(sender.acknowledged)));
  expect(await served.stop()).toBe(0);
});
