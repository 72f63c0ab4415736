import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkConfig, loadConfig, type PullSourceConfig } from "../src/config.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "prickle-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const env = { TOKEN: "pat-eu1-123" };
const SECRET = "${TOKEN}"; // What stands in the file.

function write(source: string): void {
  writeFileSync(
    join(cwd, "prickle.yaml"),
    `sources:\n  crm:\n    type: hubspot\n    accessToken: ${SECRET}\n${source}`,
  );
}

function load(source: string): PullSourceConfig {
  write(source);
  const [crm] = loadConfig({ cwd, env }).sources;
  if (crm?.type !== "pull") throw new Error("it is asked");
  return crm;
}

function problems(source: string) {
  write(source);
  return checkConfig({ cwd, env }).problems.map(({ line, path, found, allowed }) => ({ line, path, found, allowed }));
}

it("is asked by hand, with the mapping of its type, unless it says otherwise", () => {
  expect(load("")).toMatchObject({
    name: "crm",
    mapping: { name: "hubspot" },
    schedule: null,
    maxEventsPerRun: null,
    fullEveryMs: 7 * 86_400_000,
    removedEveryMs: 86_400_000,
  });
  const token = load("").settings;
  expect(token.type === "hubspot" && token.accessToken?.reveal()).toBe("pat-eu1-123");
  expect(JSON.stringify(token)).not.toContain("pat-eu1");
});

it("has a schedule with its zone, its jitter, and what becomes of a run that was missed", () => {
  expect(load('    schedule: {cron: "*/5 * * * *"}\n').schedule).toEqual({
    cron: "*/5 * * * *",
    timeZone: "UTC",
    jitterMs: 0,
    missed: "run",
  });
  const own = '    schedule: {cron: "30 0 3 * * mon", timeZone: Europe/Berlin, jitter: 90s, missed: skip}\n';
  expect(load(own).schedule).toEqual({
    cron: "30 0 3 * * mon",
    timeZone: "Europe/Berlin",
    jitterMs: 90_000,
    missed: "skip",
  });
});

it("is told where its schedule is wrong, what was found and what is allowed", () => {
  expect(problems('    schedule:\n      cron: "61 * * * *"\n      timeZone: Berlin\n      missed: maybe\n')).toEqual([
    {
      line: 6,
      path: "sources.crm.schedule.cron",
      found: 'found "61 * * * *"',
      allowed: expect.stringContaining("*/15 * * * *"),
    },
    {
      line: 7,
      path: "sources.crm.schedule.timeZone",
      found: 'found "Berlin"',
      allowed: expect.stringContaining("Europe/Berlin"),
    },
    { line: 8, path: "sources.crm.schedule.missed", found: 'found "maybe"', allowed: expect.stringContaining("skip") },
  ]);
  expect(problems('    schedule: {cron: "0 0 31 2 *"}\n')).toMatchObject([{ path: "sources.crm.schedule.cron" }]);
  expect(problems("    fullEvery: 1m\n")).toMatchObject([
    { path: "sources.crm.fullEvery", allowed: expect.stringContaining("from 1h to 365d") },
  ]);
});

it("is listed, unless it says that it is exported", () => {
  expect(load("").settings).toMatchObject({ fullBy: "list" });
  expect(load("    fullBy: export\n").settings).toMatchObject({ fullBy: "export" });
  expect(problems("    fullBy: exports\n")).toMatchObject([
    { path: "sources.crm.fullBy", found: 'found "exports"', allowed: expect.stringContaining("list or export") },
  ]);
});

it("takes no webhook, and needs none on a host that others reach", () => {
  expect(problems("    webhook: {bearer: x}\n")).toMatchObject([{ path: "sources.crm.webhook" }]);
  writeFileSync(
    join(cwd, "prickle.yaml"),
    `server: {host: 0.0.0.0}\nsources: {crm: {type: hubspot, accessToken: "${SECRET}"}}\n`,
  );
  expect(checkConfig({ cwd, env }).problems).toEqual([]);
});
