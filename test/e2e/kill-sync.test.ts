/**
 * kill -9 while HubSpot is read, its companies changing meanwhile: in the end PostHog has the truth, and was told no more than
 * changed. PRICKLE_HUBSPOT_COMPANIES=200000 makes it as large as a large account; it then takes a quarter of an hour.
 */

import { afterEach, beforeEach, expect, it } from "vitest";
import type { SyncSummary } from "../../src/core/operations.ts";
import type { FakePosthog } from "../fakes/posthog.ts";
import { type Action, createActions, differencesBetween } from "../sources/hubspot/companies.ts";
import { HOUR_MS, type HubspotScene, openHubspotScene } from "./hubspot-scene.ts";
import { createChance } from "./seeded.ts";

const COMPANIES = Number(process.env.PRICKLE_HUBSPOT_COMPANIES ?? 2000);
const ACTIONS: readonly Action[] = [
  "edit",
  "edit",
  "edit",
  "edit",
  "recalculate",
  "create",
  "archive",
  "restore",
  "erase",
  "merge",
];
const ACTIONS_PER_RUN = Math.max(60, COMPANIES / 200);
const KILLS = 3;
const ROUNDS = 2;

let scene: HubspotScene;

beforeEach(async () => {
  scene = await openHubspotScene({ companies: COMPANIES, nameOf: (place) => `C${place}` });
  scene.hubspot.settings.indexLagMs = 2000;
});
afterEach(() => scene.close());

it("ends with the truth, over kills, edits and merges", { timeout: 3_600_000 }, async () => {
  const chance = createChance(20_261_124);
  const { hubspot, posthog, workplace } = scene;
  const { store, settings } = hubspot;
  const { act } = createActions(store, ACTIONS);
  const requestsPerRun = COMPANIES / 100;
  let kills = 0;

  /** Runs until it ends, or is killed after so many requests. */
  async function sync(killAfter: number, ...words: readonly string[]): Promise<boolean> {
    const run = workplace.run("sync", "hubspot", "--accept-removals", ...words);
    let asked = 0;
    settings.interfere = () => {
      asked += 1;
      for (let left = ACTIONS_PER_RUN / requestsPerRun; left > chance.next(); left--) act(chance.next(), chance.next());
      if (asked === killAfter) run.process.kill("SIGKILL");
      return null;
    };
    const { code, stderr } = await run.ended;
    expect([0, null], stderr).toContain(code);
    if (code === null) kills += 1;
    return code === 0;
  }

  /** One after the other, until one gets to its end. */
  async function syncAndKill(times: number, ...words: readonly string[]): Promise<void> {
    for (let time = 0; time < times; time++) {
      if (await sync(1 + Math.floor(chance.next() * requestsPerRun * 0.6), ...words)) return;
    }
    expect(await sync(Number.POSITIVE_INFINITY, ...words)).toBe(true);
  }

  await syncAndKill(KILLS);
  for (let round = 0; round < ROUNDS; round++) {
    settings.skewMs += 3 * HOUR_MS;
    for (let step = 0; step < ACTIONS_PER_RUN; step++) act(chance.next(), chance.next());
    settings.skewMs += 3 * HOUR_MS;
    await syncAndKill(1);
  }
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  settings.interfere = () => null;
  settings.skewMs += 3 * HOUR_MS;
  await workplace.ask("sync", "hubspot", "--full", "--accept-removals");
  expect(differencesBetween(store, scene.groups())).toEqual([]);
  expect(idleIn(posthog)).toBe(0);
  const again = await workplace.ask<SyncSummary>("sync", "hubspot", "--full");
  expect(again.run).toMatchObject({ kind: "full", outcome: "complete", changed: 0, messages: 0 });
});

/** Group identifies that said nothing that was not known. */
function idleIn({ events }: FakePosthog): number {
  const known = new Map<string, string>();
  return events().filter(({ properties }) => {
    const { $group_key: key, $group_set: set } = Object(properties);
    const before = known.get(key) ?? "{}";
    const after = JSON.stringify({ ...JSON.parse(before), ...set });
    known.set(key, after);
    return after === before;
  }).length;
}
