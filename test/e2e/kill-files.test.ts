/** kill -9 while files of every layout are read: run again to its end, it leaves what a run that nobody killed leaves. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { readEngineFile } from "./engine-file.ts";
import { type InventedRows, inventRows, ROWS_MAPPING } from "./invented-rows.ts";
import { MANY_PROCESSES } from "./prickle-process.ts";
import { createRig, type Rig } from "./rig.ts";
import { createChance } from "./seeded.ts";

const SEED = 20_261_124;
const ROWS_EACH = 3_000;
const MAX_DEPTH = 2_500;
const KILLS = 8;
const WORDS = ["exports", "--mapping", "./orders.yaml"];

let undisturbed: Rig;
let killed: Rig;
let invented: InventedRows;

beforeEach(async () => {
  undisturbed = await createRig();
  killed = await createRig({ ledger: { maxDepth: MAX_DEPTH } });
  for (const { workplace } of [undisturbed, killed]) {
    await writeFile(join(workplace.directory, "orders.yaml"), JSON.stringify(ROWS_MAPPING));
    invented = await inventRows(join(workplace.directory, "exports"), ROWS_EACH);
  }
});
afterEach(async () => {
  await undisturbed.remove();
  await killed.remove();
});

async function outcomeOf({ workplace, posthog }: Rig) {
  const { committed, duplicates, rejected, depth } = await workplace.ask<LedgerStatus>("status");
  return {
    counts: { committed, duplicates, rejected, depth },
    engine: await readEngineFile(workplace.dataDir),
    events: new Map(posthog.events().map((event) => [event.uuid, event])),
  };
}

/** Kills the run when PostHog has been brought `moment` different messages by it and the runs before. */
async function killAt(moment: number, seen: Set<string>): Promise<number | null> {
  const run = killed.workplace.run("backfill", ...WORDS);
  let isSent = false;
  killed.posthog.failWhen((uuids) => {
    for (const uuid of uuids) seen.add(uuid);
    if (!isSent && seen.size >= moment) isSent = run.process.kill("SIGKILL");
    return null;
  });
  return (await run.ended).code;
}

it("ends as a run that nobody killed, in whichever file it was", MANY_PROCESSES, async () => {
  const { rows, broken } = invented;
  const whole = await undisturbed.workplace.ask<BackfillSummary>("backfill", ...WORDS);
  expect(whole).toMatchObject({ records: rows + broken, messages: rows, rejectedByReason: { broken_row: broken } });
  const own = (await undisturbed.workplace.ask<BackfillSummary>("backfill", ...WORDS)).files;
  expect(own.map(({ records, resumedAt }) => records - resumedAt)).toEqual([0, 0, 0, 0, 0]);
  const expected = await outcomeOf(undisturbed);
  expect(expected).toMatchObject({ counts: { committed: rows, duplicates: 0, rejected: broken, depth: 0 } });
  expect(expected.events.size).toBe(rows);

  const chance = createChance(SEED);
  const seen = new Set<string>();
  const last = rows - MAX_DEPTH - 1_000;
  for (let kill = 1; kill <= KILLS; kill++) {
    const moment = Math.floor((last * (kill - 1)) / KILLS) + 1 + chance.below(Math.floor(last / KILLS));
    expect(await killAt(moment, seen)).toBe(null);
  }
  killed.posthog.failWhen(() => null);
  const end = await killed.workplace.ask<BackfillSummary>("backfill", ...WORDS);
  expect(end).toMatchObject({ complete: true, records: rows + broken });
  expect(end.resumedAt).toBeGreaterThan(rows / 4);
  expect(await outcomeOf(killed)).toEqual(expected);
});
