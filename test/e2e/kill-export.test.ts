/** kill -9 while all companies of HubSpot are read by an export, wherever it is: in the end PostHog has the truth, told once. */

import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SyncSummary } from "../../src/core/operations.ts";
import { type FakeHubspot, startFakeHubspot } from "../fakes/hubspot/server.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { addCompany, createActions, differencesBetween } from "../sources/hubspot/companies.ts";
import { defineProperties } from "../sources/hubspot/rig.ts";
import { createWorkplace, type Workplace } from "./prickle-process.ts";
import { createChance } from "./seeded.ts";

const COMPANIES = 3000;
const HOUR_MS = 3_600_000;

let hubspot: FakeHubspot;
let posthog: FakePosthog;
let workplace: Workplace;

beforeEach(async () => {
  posthog = await startFakePosthog();
  hubspot = await startFakeHubspot({ now: Date.now });
  // Its clock is days behind, and is moved on between runs.
  Object.assign(hubspot.settings, { skewMs: -72 * HOUR_MS, perTenSeconds: 1_000_000, daily: 100_000_000 });
  Object.assign(hubspot.exports.settings, { readyAfterMs: 1500, rowsPerFile: 1100 });
  defineProperties(hubspot);
  for (let place = 0; place < COMPANIES; place++) addCompany(hubspot.store, { name: nameOf(place), seats: `${place}` });
  const unlimited = { messagesPerSecond: null, messagesPerDistinctIdPerSecond: null, claimGroupTypes: false };
  const crm = { type: "hubspot", apiHost: hubspot.url, properties: ["seats"], fullBy: "export" };
  workplace = await createWorkplace(
    {
      server: { port: 0 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
      sources: { hubspot: { ...crm, accessToken: "${KEY}" } },
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

/** Of another form from time to time: so that something is asked for in the middle of the file. */
function nameOf(place: number): string {
  if (place > 2000) return `C\n${place}`;
  return place > 1000 ? `+C${place}` : `C${place}`;
}

it("ends with the truth and leaves no file", { timeout: 300_000 }, async () => {
  const { settings, store, exports } = hubspot;
  settings.skewMs += 3 * HOUR_MS;
  const { act } = createActions(store, ["edit", "recalculate", "create", "archive"]);
  const chance = createChance(20_261_124);

  /** Kills it with a request of that path. */
  async function killAt(path: RegExp, count = 1): Promise<void> {
    const run = workplace.run("sync", "hubspot", "--full");
    let left = count;
    const see = (asked: string) => {
      if (path.test(asked)) left -= 1;
      if (left === 0) run.process.kill("SIGKILL");
    };
    settings.interfere = ({ path: asked }) => {
      if (chance.next() < 0.5) act(chance.next(), chance.next());
      see(asked);
      return null;
    };
    exports.settings.interfereDownload = () => {
      see("/download");
      return null;
    };
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(null);
    settings.interfere = () => null;
    exports.settings.interfereDownload = () => null;
  }

  await killAt(/\/status$/, 2); // By then its task is on disk.
  exports.settings.readyAfterMs = 0;
  await killAt(/\/download$/);
  await killAt(/batch\/read$/);
  await killAt(/batch\/read$/, 2);
  const { run } = await workplace.ask<SyncSummary>("sync", "hubspot", "--full");
  expect(run).toMatchObject({ kind: "full", outcome: "complete" });
  expect(exports.tasks).toHaveLength(1);
  settings.skewMs += 3 * HOUR_MS;
  await workplace.ask("sync", "hubspot");
  await workplace.ask("sync", "hubspot", "--full");
  const groups = new Map([...posthog.groups].map(([name, said]) => [name.split("\0")[1] ?? "", Object(said)]));
  expect(differencesBetween(store, groups)).toEqual([]);
  const again = await workplace.ask<SyncSummary>("sync", "hubspot", "--full");
  expect(again.run).toMatchObject({ kind: "full", outcome: "complete", changed: 0, messages: 0 });
  expect(again.run.requests).toBeLessThan(20);
  expect(readdirSync(workplace.dataDir).filter((name) => name.startsWith("export"))).toEqual([]);
});
