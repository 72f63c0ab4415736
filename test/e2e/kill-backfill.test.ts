/** kill -9 while a file is read and delivered: run again to its end, it leaves what a run that nobody killed leaves. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GroupPage, Trends } from "../../src/core/analytics.ts";
import { ERRORS } from "../../src/core/errors.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { readEngineFile } from "./engine-file.ts";
import { MANY_PROCESSES } from "./prickle-process.ts";
import { createRig, type Rig } from "./rig.ts";
import { createChance } from "./seeded.ts";
import { inventSegmentLog } from "./segment-log.ts";

const SEED = 20_250_106;
const LOG = inventSegmentLog({ seed: SEED, lines: 20_000 });
const MESSAGES = LOG.lines - LOG.repeated - LOG.useless;
const FILE = "calls.jsonl.gz";
/** How far reading may be ahead of delivering. */
const MAX_DEPTH = 8_000;
/** So that the last run, too, has something left to read. */
const LAST_KILL_AT = MESSAGES - MAX_DEPTH - 2_000;
const STOPS_UNDER_WAY = 8;
const KILLS_AT_START = 2;

let undisturbed: Rig;
let killed: Rig;

beforeEach(async () => {
  undisturbed = await createRig();
  killed = await createRig({ ledger: { maxDepth: MAX_DEPTH } });
  for (const { workplace } of [undisturbed, killed]) {
    await writeFile(join(workplace.directory, FILE), gzipSync(LOG.text));
  }
});
afterEach(async () => {
  await undisturbed.remove();
  await killed.remove();
});

/** Everything of the answers, the engine's file and PostHog that does not tell when it came there. */
async function outcomeOf({ workplace, posthog }: Rig) {
  const groups = async (type: string) => {
    const page = await workplace.ask<GroupPage>("groups", type, "--limit", "1000");
    return page.groups.map(({ updatedAt: _updatedAt, ...group }) => ({ type, ...group }));
  };
  const { sizeBytes: _size, destinations, ...status } = await workplace.ask<LedgerStatus>("status");
  return {
    status,
    destinations: destinations.map(({ retried: _retried, ...destination }) => destination),
    groups: [...(await groups("company")), ...(await groups("project"))],
    trends: await workplace.ask<Trends>("trends", "--group-type", "project", "--interval", "day"),
    engine: await readEngineFile(workplace.dataDir),
    posthogEvents: new Map(posthog.events().map((event) => [event.uuid, event])),
    posthogGroups: posthog.groups,
  };
}

/** Sends the run a signal when PostHog has been brought `moment` different messages by it and the runs before; gives its exit code. */
async function runUntil(moment: number, signal: NodeJS.Signals, seen: Set<string>): Promise<number | null> {
  const run = killed.workplace.run("backfill", FILE);
  let isSent = false;
  killed.posthog.failWhen((uuids) => {
    for (const uuid of uuids) seen.add(uuid);
    if (!isSent && seen.size >= moment) isSent = run.process.kill(signal);
    return null;
  });
  return (await run.ended).code;
}

it("ends as a run that nobody killed, over nine kills and a stop", MANY_PROCESSES, async () => {
  const chance = createChance(SEED);
  expect(LOG.repeated).toBeGreaterThan(100);
  expect(LOG.useless).toBeGreaterThan(100);
  const whole = await undisturbed.workplace.ask<BackfillSummary>("backfill", FILE);
  expect(whole).toMatchObject({ records: LOG.lines, resumedAt: 0, messages: MESSAGES, rejected: LOG.useless });
  const expected = await outcomeOf(undisturbed);
  expect(expected.status).toMatchObject({ committed: MESSAGES, duplicates: LOG.repeated, rejected: LOG.useless });
  expect(expected.destinations).toMatchObject([
    { delivered: MESSAGES, depth: 0, dead: 0 },
    { delivered: MESSAGES, depth: 0, dead: 0 },
  ]);
  expect(expected.engine).toMatchObject({ events: expected.engine.uuids });
  expect(expected.posthogEvents.size).toBe(MESSAGES);
  const properties = expected.groups.map((group) => [`${group.type}\0${group.groupKey}`, group.properties] as const);
  expect(new Map(properties)).toEqual(expected.posthogGroups);

  for (let kill = 0; kill < KILLS_AT_START; kill++) {
    const run = killed.workplace.run("backfill", FILE);
    await delay(chance.below(600));
    run.process.kill("SIGKILL");
    expect((await run.ended).code).toBe(null);
  }
  const moments = Array.from({ length: STOPS_UNDER_WAY }, () => 1 + chance.below(LAST_KILL_AT));
  const seen = new Set<string>();
  const [first = 0, ...others] = moments.sort((one, other) => one - other);
  expect(await runUntil(first, "SIGTERM", seen)).toBe(ERRORS.STOPPING.exitCode);
  for (const moment of others) expect(await runUntil(moment, "SIGKILL", seen)).toBe(null);
  killed.posthog.failWhen(() => null);
  const last = await killed.workplace.ask<BackfillSummary>("backfill", FILE);

  expect(last).toMatchObject({ complete: true, records: LOG.lines });
  expect(last.resumedAt).toBeGreaterThan(0);
  expect(last.resumedAt).toBeLessThan(LOG.lines);
  expect(await outcomeOf(killed)).toEqual(expected);
});
