/**
 * kill -9 while HubSpot is read, its companies changing meanwhile: in the end PostHog has the truth, and was told no more than
 * changed. PRICKLE_HUBSPOT_COMPANIES=200000 makes it as large as a large account; it then takes a quarter of an hour.
 */

import { afterEach, beforeEach, expect, it } from "vitest";
import type { SyncSummary } from "../../src/core/operations.ts";
import { type FakeHubspot, startFakeHubspot } from "../fakes/hubspot/server.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { type Action, addCompany, createActions, differencesBetween } from "../sources/hubspot/companies.ts";
import { defineProperties } from "../sources/hubspot/rig.ts";
import { createWorkplace, type Workplace } from "./prickle-process.ts";
import { createChance } from "./seeded.ts";

const COMPANIES = Number(process.env.PRICKLE_HUBSPOT_COMPANIES ?? 2000);
const HOUR_MS = 3_600_000;
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

let hubspot: FakeHubspot;
let posthog: FakePosthog;
let workplace: Workplace;

beforeEach(async () => {
  posthog = await startFakePosthog();
  hubspot = await startFakeHubspot({ now: Date.now });
  // Its clock is days behind, and is moved on between runs: nobody has to wait until a search finds what changed.
  Object.assign(hubspot.settings, {
    skewMs: -72 * HOUR_MS,
    perTenSeconds: 1_000_000,
    daily: 100_000_000,
    indexLagMs: 2000,
  });
  defineProperties(hubspot);
  for (let place = 0; place < COMPANIES; place++) addCompany(hubspot.store, { name: `C${place}`, seats: `${place}` });
  const unlimited = { messagesPerSecond: null, messagesPerDistinctIdPerSecond: null, claimGroupTypes: false };
  workplace = await createWorkplace(
    {
      server: { port: 0 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
      sources: { hubspot: { type: "hubspot", accessToken: "${KEY}", apiHost: hubspot.url, properties: ["seats"] } },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
      destinations: { posthog: { type: "posthog", host: posthog.url, token: "${TOKEN}", ...unlimited } },
    },
    { env: { TOKEN: "phc_test", KEY: "pat-eu1-key" } },
  );
});
afterEach(async () => {
  await workplace.remove();
  await posthog.close();
  await hubspot[Symbol.asyncDispose]();
});

it("ends with the truth, over kills, edits and merges", { timeout: 3_600_000 }, async () => {
  const chance = createChance(20_261_124);
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
  expect(differencesBetween(store, groupsOf(posthog))).toEqual([]);
  expect(idleIn(posthog)).toBe(0);
  const again = await workplace.ask<SyncSummary>("sync", "hubspot", "--full");
  expect(again.run).toMatchObject({ kind: "full", outcome: "complete", changed: 0, messages: 0 });
});

function groupsOf({ groups }: FakePosthog): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map([...groups].map(([name, properties]) => [name.split("\0")[1] ?? "", Object(properties)]));
}

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
