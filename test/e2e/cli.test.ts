/** The command line: the same answers through a server and without one, help for everything, and an exit code for every failure. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import type { DeadLetter } from "../../src/core/dead-letter.ts";
import { ERRORS, type ErrorCode } from "../../src/core/errors.ts";
import type { BackfillSummary, PrickleStatus } from "../../src/core/operations.ts";
import { readEngineFile } from "./engine-file.ts";
import { createWorkplace, eventually, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";
import { createRig, type Rig } from "./rig.ts";
import { inventSegmentLog } from "./segment-log.ts";

const LOG = inventSegmentLog({ seed: 7, lines: 1_500 });
const FILE = "calls.jsonl.gz";

/** With a log to read, and a PostHog that refuses some messages for good: always the same ones. */
async function openRig(): Promise<Rig> {
  const rig = await createRig();
  onTestFinished(() => rig.remove());
  rig.posthog.failWhen((uuids) => (uuids.some(isRefused) ? { kind: "status", status: 400, body: "refused" } : null));
  await writeFile(join(rig.workplace.directory, FILE), gzipSync(LOG.text));
  return rig;
}

function isRefused(uuid: string): boolean {
  return /[01]0$/.test(uuid);
}

async function backfill({ workplace }: Rig) {
  const { tookMs: _tookMs, files, ...summary } = await workplace.ask<BackfillSummary>("backfill", FILE);
  return { ...summary, files: files.map(({ path, ...file }) => ({ ...file, name: basename(path) })) };
}

const QUESTIONS = {
  rejections: ["rejections"],
  letters: ["dead", "list", "--destination", "posthog", "--limit", "1000"],
  found: ["groups", "project", "--search", "1", "--limit", "3", "--offset", "1"],
  trends: ["trends"],
  closer: [
    ...["trends", "--group-type", "project", "--event", "Task Created", "--interval", "day"],
    ...["--from", "2025-01-10", "--to", "2025-01-20", "--breakdown", "project_id"],
  ],
  check: ["check"],
};

async function lettersOf({ workplace }: Rig): Promise<readonly DeadLetter[]> {
  return workplace.ask("dead", "list", "--limit", "1000");
}

/** How many bytes the ledger takes changes when it is closed. */
async function statusOf({ workplace }: Rig) {
  // Only the process that delivers knows how destinations are doing.
  const { sizeBytes: _size, health: _health, ...status } = await workplace.ask<PrickleStatus>("status");
  return status;
}

it("answers alike through a server and without one", MANY_PROCESSES, async () => {
  const rig = await openRig();
  const { posthog, workplace } = rig;
  const served = await workplace.serve();
  const summary = await backfill(rig);
  expect(summary).toMatchObject({ records: LOG.lines, rejected: LOG.useless, complete: true });
  const letters = await lettersOf(rig);
  expect(letters.length).toBeGreaterThan(4);
  expect(letters.every(({ uuid, reason }) => isRefused(uuid) && reason.includes("refused"))).toBe(true);
  const [dropped, replayed, droppedLater, replayedLater, last] = letters;
  posthog.failWhen(() => null);

  expect(await workplace.ask("dead", "drop", `${dropped?.id}`)).toEqual({ dropped: 1 });
  expect(await workplace.ask("dead", "replay", `${replayed?.id}`)).toEqual({ replayed: 1 });
  await eventually(() => posthog.arrivals.includes(`${replayed?.uuid}`));
  await eventually(async () => (await statusOf(rig)).depth === 0);
  const questions = Object.entries({ ...QUESTIONS, letter: ["dead", "show", `${last?.id}`] });
  const asked = questions.map(async ([name, words]) => [name, await workplace.ask(...words)] as const);
  const throughServer = Object.fromEntries([...(await Promise.all(asked)), ["status", await statusOf(rig)]]);
  expect(throughServer).toMatchObject({ letters: letters.slice(2), letter: last, rejections: { length: LOG.useless } });
  expect(throughServer.status).toMatchObject({ committed: summary.messages, depth: 0, rejected: LOG.useless });
  expect(await served.stop()).toBe(0);
  for (const [name, words] of questions) expect(await workplace.ask(...words)).toEqual(throughServer[name]);
  expect(await statusOf(rig)).toEqual(throughServer.status);

  expect(await workplace.ask("dead", "drop", `${droppedLater?.id}`)).toEqual({ dropped: 1 });
  expect(await workplace.ask("dead", "replay", `${replayedLater?.id}`)).toEqual({ replayed: 1 });
  expect(await statusOf(rig)).toMatchObject({ depth: 1 });
  expect(await lettersOf(rig)).toEqual(letters.slice(4));
  await backfill(rig); // Nothing is left to read; what waits is delivered.
  expect(posthog.arrivals.filter(isRefused)).toEqual([replayed?.uuid, replayedLater?.uuid]);
});

it("reads a file alike through a server and without one", MANY_PROCESSES, async () => {
  const through = await openRig();
  const without = await openRig();
  const served = await through.workplace.serve();
  const summary = await backfill(through);
  expect(await served.stop()).toBe(0);
  expect(await backfill(without)).toEqual(summary);
  expect(summary).toMatchObject({ records: LOG.lines, resumedAt: 0, rejected: LOG.useless, duplicates: LOG.repeated });
  expect(summary.messages).toBe(LOG.lines - LOG.useless - LOG.repeated);
  expect(await backfill(without)).toMatchObject({ records: LOG.lines, resumedAt: LOG.lines, messages: 0 });
  const arrived = ({ posthog }: Rig) => posthog.events().map(({ uuid }) => uuid);
  expect(arrived(without).sort()).toEqual(arrived(through).sort());
  const engines = [through, without].map(({ workplace }) => readEngineFile(workplace.dataDir));
  expect(await engines[1]).toEqual(await engines[0]);
});

it("writes for people what --json writes for programs", async () => {
  const rig = await openRig();
  const { workplace } = rig;
  await workplace.serve();
  await backfill(rig);
  const commands = [["status"], ["groups", "company"], ["trends"], ["dead", "list"], ["rejections"], ["check"]];
  const texts = await Promise.all(commands.map((words) => workplace.run(...words).ended));
  const [status, groups, trends, dead, rejections, check] = texts.map(({ stdout }) => stdout);
  expect(texts.map(({ code, stderr }) => ({ code, stderr }))).toEqual(texts.map(() => ({ code: 0, stderr: "" })));
  expect(status).toContain("posthog");
  expect(groups).toContain("company-1");
  expect(trends).toContain("2025-01-05");
  expect(dead).toContain("refused");
  expect(rejections).toContain("delete_not_supported");
  expect(check).toContain("Everything is in order");
});

// Of every command: test/cli/help.test.ts.
it.each([[[]], [["dead", "replay"]]])("has help with examples: prickle %j --help", async (words: readonly string[]) => {
  const workplace = await openWorkplace({});
  const { code, stdout, stderr } = await workplace.run(...words, "--help").ended;
  const usage = ["Usage: prickle", ...words].join(" ");
  expect({ code, stderr, usage: stdout.slice(0, usage.length) }).toEqual({ code: 0, stderr: "", usage });
  expect(stdout).toMatch(/Examples?:\n {2}\$ prickle /);
});

async function openWorkplace(config: object): Promise<Workplace> {
  const workplace = await createWorkplace(config);
  onTestFinished(() => workplace.remove());
  return workplace;
}

type Situations = Readonly<Record<string, readonly [expected: ErrorCode, ...words: readonly string[]]>>;

/** Runs them all at once. A failure is told by the exit code and on stderr, and nothing is on stdout. */
async function expectFailures(workplace: Workplace, situations: Situations): Promise<void> {
  const failures = Object.entries(situations).map(async ([situation, [, ...words]]) => {
    const { code, stdout, stderr } = await workplace.run(...words, "--json").ended;
    const told = JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "null");
    return [situation, { exitCode: code, stdout, code: told.error.code, told: told.error.exitCode }];
  });
  const expected = Object.entries(situations).map(([situation, [code]]) => {
    const { exitCode } = ERRORS[code];
    return [situation, { exitCode, stdout: "", code, told: exitCode }];
  });
  expect(Object.fromEntries(await Promise.all(failures))).toEqual(Object.fromEntries(expected));
}

it("tells by its exit code why a command could not be carried out", async () => {
  const workplace = await openWorkplace({});
  const put = (name: string, content: string | Uint8Array) => writeFile(join(workplace.directory, name), content);
  const ledgerIn = async (name: string) => {
    await mkdir(join(workplace.directory, name));
    return join(workplace.directory, name, "ledger.sqlite");
  };
  await put("cut.jsonl.gz", gzipSync(LOG.text).subarray(0, -100));
  await put("unknown-key.yaml", "sorces: {}");
  await put(
    "missing-secret.yaml",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
    "destinations: { posthog: { type: posthog, host: 'http://127.0.0.1:9', token: '${NONE}' } }",
  );
  await put("no-rules.yaml", "groupTypes: [company]\nrules: 5");
  await put("bad-mapping.yaml", "sources: { segment: { type: segment, mapping: ./no-rules.yaml } }");
  await mkdir(join(workplace.directory, "empty"));
  const newer = new DatabaseSync(await ledgerIn("newer"));
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  await writeFile(await ledgerIn("damaged"), "this is no database\n".repeat(1_000));

  await expectFailures(workplace, {
    "an unknown command": ["USAGE", "sevre"],
    "an unknown option": ["USAGE", "status", "--loud"],
    "a number that makes no sense": ["USAGE", "groups", "company", "--limit", "0"],
    "nothing chosen to forget": ["USAGE", "dead", "drop"],
    "a file that is not there": ["NOT_FOUND", "backfill", "none.jsonl", "--data-dir", "a"],
    "a folder without data": ["NOT_FOUND", "backfill", "empty", "--data-dir", "b"],
    "a file cut short": ["INPUT_INVALID", "backfill", "cut.jsonl.gz", "--data-dir", "c"],
    "a source that is not there": ["NOT_FOUND", "backfill", "cut.jsonl.gz", "--source", "crm", "--data-dir", "d"],
    "no data": ["NOT_FOUND", "status", "--data-dir", "nowhere"],
    "an unknown key in the configuration": ["CONFIG_INVALID", "serve", "--config", "unknown-key.yaml"],
    "a secret that is not set": ["CONFIG_INVALID", "serve", "--config", "missing-secret.yaml"],
    "a configuration that is not there": ["CONFIG_INVALID", "serve", "--config", "none.yaml"],
    "a wrong mapping": ["MAPPING_INVALID", "serve", "--config", "bad-mapping.yaml"],
    "a ledger of a newer prickle": ["LEDGER_TOO_NEW", "status", "--data-dir", "newer"],
    "a file that is no ledger": ["LEDGER_UNAVAILABLE", "status", "--data-dir", "damaged"],
    "a data directory that cannot be made": ["LEDGER_UNAVAILABLE", "serve", "--data-dir", "no-rules.yaml/data"],
  });
  const { code, stdout } = await workplace.run("check", "--config", "unknown-key.yaml", "--json").ended;
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 78, ok: false, problems: [{ path: "sorces" }] });
});

it("says warnings of a mapping and finds everything in order all the same", async () => {
  const workplace = await openWorkplace({});
  const rule = `{ name: r, when: 'type in ["group"]', groupIdentify: { groupType: company, groupKey: k } }`;
  await writeFile(join(workplace.directory, "own.yaml"), `groupTypes: [company]\nrules: [${rule}]\n`);
  await writeFile(
    join(workplace.directory, "own-mapping.yaml"),
    "sources: { s: { type: segment, mapping: ./own.yaml } }",
  );
  const { code, stdout } = await workplace.run("check", "--config", "own-mapping.yaml").ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/own\.yaml:2:\d+ rules\[0\]\.when: warning: Segment knows neither "in"/);
  expect(stdout).toContain("1 warning");
  expect(stdout).toContain("Everything is in order.");
});

it("tells by its exit code what a server, or the data, does not allow", MANY_PROCESSES, async () => {
  const rig = await openRig();
  const { workplace, posthog } = rig;
  const served = await workplace.serve();
  await backfill(rig);
  await writeFile(join(workplace.directory, FILE), gzipSync(LOG.text.slice(1_000)));
  const ofData: Situations = {
    "an unknown group type": ["NOT_FOUND", "groups", "team"],
    "a dead letter that is not there": ["NOT_FOUND", "dead", "show", "9999"],
    "a file that changed": ["INPUT_CHANGED", "backfill", FILE],
  };
  await expectFailures(workplace, {
    ...ofData,
    "trends of an unknown group type": ["NOT_FOUND", "trends", "--group-type", "team"],
    "a range that ends before it begins": ["INPUT_INVALID", "trends", "--from", "2025-02-01", "--to", "2025-01-01"],
    "a second server": ["LEDGER_LOCKED", "serve"],
    "a port that is taken": ["USAGE", "serve", "--port", `${posthog.port}`, "--data-dir", "other"],
  });

  // As when the file that tells of the server were lost: the ledger's own lock is still there.
  const serverFile = join(workplace.dataDir, "server.json");
  await writeFile(serverFile, "{}");
  await expectFailures(workplace, { "data in use": ["LEDGER_LOCKED", "status"] });
  await writeFile(serverFile, JSON.stringify({ pid: process.pid, url: posthog.url, token: "t" }));
  await expectFailures(workplace, { "a server that does not answer": ["SERVER_UNREACHABLE", "status"] });

  await served.kill();
  await rm(serverFile);
  for (const [situation, failure] of Object.entries(ofData)) await expectFailures(workplace, { [situation]: failure });
});
