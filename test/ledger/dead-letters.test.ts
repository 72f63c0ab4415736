/** More dead letters than should be in memory, or in one transaction, at a time. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Ledger } from "../../src/core/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { commitOf, messageOf } from "../contracts/ledger.ts";
import { uuidOf } from "../fakes/outbox.ts";

const ALL = { destination: "posthog", service: "live" as const, maxMessages: 100_000, maxBytes: 1e9, leaseMs: 60_000 };
let directory: string;
let ledger: Ledger;

const open = () =>
  openSqliteLedger({
    directory,
    destinations: ["posthog"],
    maxDepth: 1e6,
    seenDays: 7,
    lanes: 4,
    logger: createLogger("silent"),
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-dead-"));
  ledger = await open();
});
afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

/** Letters of these texts, of which every other is of a destination that is fed no more. */
async function bury(texts: readonly string[]): Promise<void> {
  await ledger.close();
  const database = new DatabaseSync(join(directory, "ledger.sqlite"));
  const insert = database.prepare(
    `INSERT INTO dead_letters (destination, uuid, lane, reason, attempts, first_attempt_at, died_at, body)
     VALUES (?, ?, ?, 'wrong', 1, 1, 1, ?)`,
  );
  database.exec("BEGIN");
  for (const [index, text] of texts.entries()) {
    for (const destination of ["gone", "posthog"]) insert.run(destination, uuidOf(index), index % 4, Buffer.from(text));
  }
  database.exec("COMMIT");
  database.close();
  ledger = await open();
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);
const bodiesOf = async () =>
  ((await ledger.claim(ALL))?.messages ?? []).map(({ body }) => new TextDecoder().decode(body).trimEnd());
const order = (one: string, other: string) => Number(one) - Number(other);

it("are replayed in slices, between which commits go, and each once", async () => {
  const texts = numbers(5_500);
  await bury(texts);
  const done: string[] = [];
  const replaying = ledger.replayDeadLetters({}).then((count) => {
    done.push("replay");
    return count;
  });
  await ledger.commit(commitOf([messageOf(0, "5500")])).then(() => done.push("commit"));
  expect(await replaying).toBe(5_500);
  expect(done).toEqual(["commit", "replay"]);
  expect((await ledger.status()).depth).toBe(5_501);
  expect((await bodiesOf()).sort(order)).toEqual([...texts, "5500"]);
  expect(await ledger.listDeadLetters({ destination: "posthog" })).toEqual([]);
});

it("are replayed in slices of some megabytes", async () => {
  const texts = numbers(20).map((text) => text.padEnd(1_000_000));
  await bury(texts);
  const done: string[] = [];
  const replaying = ledger.replayDeadLetters({}).then(() => done.push("replay"));
  await ledger.commit(commitOf([messageOf(0, "20")])).then(() => done.push("commit"));
  await replaying;
  expect(done).toEqual(["commit", "replay"]);
  expect((await bodiesOf()).sort(order)).toEqual(numbers(21));
});

it("are replayed up to the number asked for, however many slices that is, and dropped by number too", async () => {
  await bury(numbers(2_500));
  expect(await ledger.replayDeadLetters({ limit: 1_000 })).toBe(1_000);
  expect(await ledger.replayDeadLetters({ limit: 1_001 })).toBe(1_001);
  expect(await ledger.replayDeadLetters({ limit: 0 })).toBe(0);
  expect(await ledger.dropDeadLetters({ destination: "posthog", limit: 9 })).toBe(9);
  expect(await ledger.replayDeadLetters({ destination: "posthog" })).toBe(490);
  expect(await ledger.replayDeadLetters({})).toBe(0);
  expect(await ledger.dropDeadLetters({})).toBe(2_500);
});
