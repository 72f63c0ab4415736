import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { commitOf, messageOf, rejectionOf } from "../contracts/ledger.ts";

const DESTINATION = "posthog";
const LANES = 4;
const SEGMENT_BYTES = 4_096;
const DELIVERED: SettleOutcome = { kind: "delivered" };

let directory: string;
let ledger: Ledger;

const open = () =>
  openSqliteLedger({
    directory,
    destinations: [DESTINATION],
    maxDepth: 1_000_000,
    seenDays: 7,
    lanes: LANES,
    segmentBytes: SEGMENT_BYTES,
    logger: createLogger("silent"),
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-log-"));
  ledger = await open();
});
afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

/** Numbers of the records committed so far, each of which is known again. */
let records = 0;

/** One record of one message: its text, and so much padding. */
async function commit(text: string, { lane = 0, padding = 0 } = {}): Promise<void> {
  records += 1;
  await ledger.commit(commitOf([messageOf(lane, `${text}${" ".repeat(padding)}`)], records));
}

/** Claims all that is due, settles it by `settle`, and gives the texts in the order they came. */
async function take(settle: (text: string, lane: number) => SettleOutcome = () => DELIVERED): Promise<string[]> {
  const texts: string[] = [];
  const request = {
    destination: DESTINATION,
    service: "live" as const,
    maxMessages: 1000,
    maxBytes: 1_000_000,
    leaseMs: 60_000,
  };
  for (let claim = await ledger.claim(request); claim; claim = await ledger.claim(request)) {
    const some = claim.messages.map(({ body }) => new TextDecoder().decode(body).trimEnd());
    texts.push(...some);
    await ledger.settle(
      claim.id,
      claim.messages.map(({ lane }, index) => settle(some[index] ?? "", lane)),
    );
  }
  return texts;
}

async function logFiles(): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => /^outbox-\d+\.log$/.test(name)).sort();
}

const tables = () => join(directory, "ledger.sqlite");

/** As after a power cut: what the tables were told since `since` is gone, the log is whole. */
async function forgetTablesSince(since: string): Promise<void> {
  await ledger.close();
  await rm(`${tables()}-wal`, { force: true });
  await copyFile(since, tables());
  ledger = await open();
}

async function copyOfTables(): Promise<string> {
  await ledger.close();
  const copy = join(directory, "tables.copy");
  await copyFile(tables(), copy);
  ledger = await open();
  return copy;
}

it("brings tables that know less than the log up to it: messages, seen ids, rejections, checkpoints and counters", async () => {
  await commit("before");
  const earlier = await copyOfTables();
  const { parcels } = commitOf([messageOf(1, "after")], 77);
  await ledger.commit({ parcels, rejections: [rejectionOf("r")], checkpoint: { name: "file", cursor: "9" } });
  await forgetTablesSince(earlier);
  expect(await ledger.checkpoint("file")).toBe("9");
  expect(await ledger.listRejections({ limit: 9 })).toMatchObject([{ recordId: "r" }]);
  expect(await ledger.status()).toMatchObject({ committed: 2, rejected: 1, depth: 2 });
  expect((await ledger.commit({ parcels, rejections: [] })).duplicates).toEqual([0]);
  expect((await take()).sort()).toEqual(["after", "before"]);
});

it("does not replay a dead letter a second time when the tables forgot that it was", async () => {
  await commit("odd");
  await take(() => ({ kind: "dead", reason: "wrong" }));
  const earlier = await copyOfTables();
  expect(await ledger.replayDeadLetters({})).toBe(1);
  await forgetTablesSince(earlier);
  expect(await ledger.listDeadLetters({})).toEqual([]);
  expect(await take()).toEqual(["odd"]);
});

it("lets go of a last record that was cut short, which nobody was told of", async () => {
  await commit("whole");
  const earlier = await copyOfTables();
  await commit("cut", { padding: 500 });
  const [last = ""] = (await logFiles()).slice(-1);
  await ledger.close();
  await truncate(join(directory, last), (await stat(join(directory, last))).size - 100);
  await rm(`${tables()}-wal`, { force: true });
  await copyFile(earlier, tables());
  ledger = await open();
  await commit("later");
  expect(await take()).toEqual(["whole", "later"]);
});

it("takes no record for whole whose bytes are not those that were written", async () => {
  const earlier = await copyOfTables();
  await commit("x".repeat(300));
  const [last = ""] = await logFiles();
  await ledger.close();
  const bytes = await readFile(join(directory, last));
  bytes.write("y", bytes.indexOf("xxx"));
  await writeFile(join(directory, last), bytes);
  await rm(`${tables()}-wal`, { force: true });
  await copyFile(earlier, tables());
  ledger = await open();
  expect(await take()).toEqual([]);
});

it.each(["cut off", "removed", "overwritten"])("refuses to open when what the tables know of is %s", async (what) => {
  for (let number = 0; number < 6; number++) await commit(`${number}`, { padding: 1500 });
  const files = await logFiles();
  expect(files.length).toBeGreaterThan(1);
  await ledger.close();
  const file = join(directory, (what === "removed" ? files.at(-1) : files[0]) ?? "");
  if (what === "cut off") await truncate(file, 1700);
  if (what === "removed") await rm(file);
  if (what === "overwritten") await writeFile(file, Buffer.alloc((await stat(file)).size));
  await expect(open()).rejects.toMatchObject({
    code: "LEDGER_UNAVAILABLE",
    message: expect.stringContaining("damaged at byte"),
    hint: expect.stringContaining("backup"),
  });
});

it("writes over files that are needed no more, so that the log does not grow with what passes through", async () => {
  for (let round = 0; round < 40; round++) {
    for (let number = 0; number < 5; number++)
      await commit(`${round}/${number}`, { lane: number % LANES, padding: 900 });
    expect(await take()).toHaveLength(5);
  }
  const { sizeBytes } = await ledger.status();
  expect((await logFiles()).length).toBeLessThan(3);
  expect(sizeBytes).toBeLessThan(40 * 5 * 900);
  await ledger.close();
  ledger = await open();
  expect(await take()).toEqual([]);
});

it("moves the little that waits in many files to the end, in order, and frees them", async () => {
  const waits: SettleOutcome = { kind: "retry", reason: "not yet", dueAt: Number.MAX_SAFE_INTEGER };
  const settle = (_: string, lane: number) => (lane === 0 ? waits : DELIVERED);
  for (let round = 0; round < 100; round++) {
    await commit(`${round}`, { lane: 0 });
    for (let number = 0; number < 4; number++) await commit("fast", { lane: 1 + (number % (LANES - 1)), padding: 900 });
    await take(settle);
  }
  expect((await logFiles()).length).toBeLessThan(20);
  await ledger.close();
  const database = new DatabaseSync(tables());
  database.exec("UPDATE positions SET not_before = 0");
  database.close();
  ledger = await open();
  expect(await take()).toEqual(Array.from({ length: 100 }, (_, round) => `${round}`));
});

it("moves what waits in the table of an earlier prickle into the log", async () => {
  await commit("new");
  await ledger.close();
  const frames = (await readFile(join(directory, (await logFiles())[0] ?? ""))).subarray(-(20 + "new".length));
  await rm(directory, { recursive: true });
  directory = await mkdtemp(join(tmpdir(), "prickle-log-"));
  ledger = await open();
  await ledger.close();
  const database = new DatabaseSync(tables());
  database.exec(`
    CREATE TABLE outbox (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL,
      committed_at INTEGER NOT NULL, only_destination TEXT, frames BLOB NOT NULL);
    DELETE FROM meta WHERE name = 'log_end';
    PRAGMA user_version = 1;
  `);
  const insert = database.prepare("INSERT INTO outbox VALUES (?, ?, ?, 1, 5, ?, ?)");
  insert.run(0, 2, 0, null, frames);
  insert.run(1, 2, 1, DESTINATION, frames);
  insert.run(2, 3, 0, "another", frames);
  database.close();
  ledger = await open();
  expect(await ledger.status()).toMatchObject({ depth: 2, destinations: [{ oldestCommittedAt: 5 }] });
  expect(await take()).toEqual(["new", "new"]);
  await ledger.close();
  ledger = await open();
  expect(await take()).toEqual([]);
});
