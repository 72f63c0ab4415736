/** kill -9 while all companies of HubSpot are read by an export, wherever it is: in the end PostHog has the truth, told once. */

import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SyncSummary } from "../../src/core/operations.ts";
import { createActions, differencesBetween } from "../sources/hubspot/companies.ts";
import { HOUR_MS, type HubspotScene, openHubspotScene } from "./hubspot-scene.ts";
import { createChance } from "./seeded.ts";

const COMPANIES = 3000;

let scene: HubspotScene;

beforeEach(async () => {
  scene = await openHubspotScene({ companies: COMPANIES, nameOf, source: { fullBy: "export" } });
  Object.assign(scene.hubspot.exports.settings, { readyAfterMs: 1500, rowsPerFile: 1100 });
});
afterEach(() => scene.close());

/** Of another form from time to time: so that something is asked for in the middle of the file. */
function nameOf(place: number): string {
  if (place > 2000) return `C\n${place}`;
  return place > 1000 ? `+C${place}` : `C${place}`;
}

it("ends with the truth and leaves no file", { timeout: 300_000 }, async () => {
  const { hubspot, workplace } = scene;
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
  expect(differencesBetween(store, scene.groups())).toEqual([]);
  const again = await workplace.ask<SyncSummary>("sync", "hubspot", "--full");
  expect(again.run).toMatchObject({ kind: "full", outcome: "complete", changed: 0, messages: 0 });
  expect(again.run.requests).toBeLessThan(20);
  expect(readdirSync(workplace.dataDir).filter((name) => name.startsWith("export"))).toEqual([]);
});
