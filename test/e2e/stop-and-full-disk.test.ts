/** Being told to stop, and running out of disk: senders are told to come again, and what was answered with 200 arrives once. */

import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { arrivedByUser, expectedByUser } from "./arrivals.ts";
import { beginRequest } from "./begun-request.ts";
import { readEngineFile } from "./engine-file.ts";
import { callOf, type PersistentSender, startSender } from "./persistent-sender.ts";
import { eventually, type Served } from "./prickle-process.ts";
import { createRig, type Rig, WRITE_KEY } from "./rig.ts";
import { mountSmallDisk } from "./small-disk.ts";

const STOP_WITHIN_MS = 10_000;

async function openRig(...settings: Parameters<typeof createRig>): Promise<Rig> {
  const rig = await createRig(...settings);
  onTestFinished(() => rig.remove());
  return rig;
}

function startSending(url: () => string | null): PersistentSender {
  const sender = startSender({ url, writeKey: WRITE_KEY, senders: 4, callsPerRequest: 60 });
  onTestFinished(() => sender.stop());
  return sender;
}

/** Everything acknowledged reached PostHog and the engine, once and in each user's order, and nothing else did. */
async function expectArrived({ posthog, workplace }: Rig, served: Served, acknowledged: ReadonlyMap<string, number>) {
  const count = acknowledged.values().reduce((sum, calls) => sum + calls, 0);
  await eventually(() => posthog.events().length >= count);
  await eventually(async () => (await depthOf(served)) === 0);
  expect(arrivedByUser(posthog)).toEqual(expectedByUser(acknowledged));
  expect(await served.stop()).toBe(0);
  expect(await readEngineFile(workplace.dataDir)).toMatchObject({ events: count, uuids: count });
}

async function depthOf({ url }: Served): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const depths = metrics.matchAll(/^prickle_outbox_depth(?:\{.*\})? (\d+)$/gm);
  return Math.max(...depths.map(([, depth]) => Number(depth)));
}

it("answers what was begun and leaves with 0 within ten seconds, though PostHog and some senders hang", async () => {
  const rig = await openRig();
  rig.posthog.failWhen(() => ({ kind: "hang" }));
  const stopping = await rig.workplace.serve();
  let served: Served | null = stopping;
  const sender = startSending(() => served?.url ?? null);
  await eventually(() => sender.count() > 500);
  const begin = (name: string, upTo: "head" | "body") =>
    Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        beginRequest(stopping.url, { writeKey: WRITE_KEY, call: callOf(`${name}-${index}`, 0), upTo }),
      ),
    );
  const announced = await begin("announced", "head");
  const begun = await begin("begun", "body");
  await begin("hanging", "body");

  const toldAt = performance.now();
  const exitCode = stopping.stop();
  await eventually(() =>
    fetch(`${stopping.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  for (const request of [...begun, ...announced]) request.finish();
  const answers = await Promise.all(begun.map(({ answer }) => answer));
  expect(answers.map((answer) => answer?.status)).toEqual(begun.map(() => 200));
  // Their heads came after the doors had closed: refused, or cut off.
  const refusals = (await Promise.all(announced.map(({ answer }) => answer))).filter((answer) => answer !== null);
  expect(refusals.map(({ status }) => status)).toEqual(refusals.map(() => 503));
  for (const { retryAfter } of refusals) expect(Number(retryAfter)).toBeGreaterThan(0);
  expect(await exitCode).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(STOP_WITHIN_MS);

  rig.posthog.failWhen(() => null);
  served = await rig.workplace.serve();
  sender.stop();
  await sender.stopped;
  expect(sender.answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
  const acknowledged = new Map([...sender.acknowledged, ...begun.map((_, index) => [`begun-${index}`, 1] as const)]);
  await expectArrived(rig, served, acknowledged);
});

interface Disk {
  fill(served: Served): Promise<unknown>;
  makeRoom(served: Served): Promise<unknown>;
}

async function testFullDisk(rig: Rig, disk: Disk): Promise<void> {
  const served = await rig.workplace.serve();
  const sender = startSending(() => served.url);
  const refusals = () => sender.answers.filter(({ status }) => status !== 200);
  await eventually(() => sender.count() > 1_000);
  expect(refusals()).toEqual([]);

  await disk.fill(served);
  await eventually(() => refusals().length >= 20);
  expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
  await disk.makeRoom(served);
  const countWhenFull = sender.count();
  await eventually(() => sender.count() > countWhenFull + 1_000);
  sender.stop();
  await sender.stopped;

  expect(refusals().length).toBeGreaterThanOrEqual(20);
  expect(new Set(refusals().map(({ status }) => status))).toEqual(new Set([503]));
  expect(refusals().filter(({ retryAfter }) => !(Number(retryAfter) >= 1))).toEqual([]);
  expect(sender.count()).toBeGreaterThan(countWhenFull + 1_000);
  await expectArrived(rig, served, sender.acknowledged);
}

const run = promisify(execFile);
const FEW_BYTES = 64 * 1024;

const canLimitFiles = (() => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

it.skipIf(!canLimitFiles)(
  `answers 503 while no file may grow, and brings everything it answered with 200 once${canLimitFiles ? "" : " (there is no prlimit)"}`,
  async () => {
    const limit = (to: string) => (served: Served) =>
      run("prlimit", ["--pid", `${served.process.pid}`, `--fsize=${to}:`]);
    await testFullDisk(await openRig(), { fill: limit(`${FEW_BYTES}`), makeRoom: limit("unlimited") });
  },
);

it("answers 503 while the disk is full to the last byte, and brings everything it answered with 200 once", async ({
  skip,
}) => {
  const disk = await mountSmallDisk();
  if (!disk) return skip("no disk may be mounted here");
  onTestFinished(() => disk.remove());
  await testFullDisk(await openRig({}, { disk }), disk);
});
