import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createPassages } from "../../src/ledger/sqlite/passages.ts";
import { openDatabase } from "../../src/ledger/sqlite/schema.ts";

const DAY_MS = 86_400_000;
const LANE = 3;

let directory: string;
let database: ReturnType<typeof openDatabase>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-passages-"));
  database = openDatabase(join(directory, "ledger.sqlite"), 8);
});
afterEach(async () => {
  database.close();
  await rm(directory, { recursive: true, force: true });
});

it("says of each message when the destination got past it, until nobody knows any more", () => {
  let waitsFrom = 5;
  const position = {
    next: 5,
    notBefore: 0,
    lastFailure: null,
    settledAhead: new Set<number>(),
    failed: new Map(),
    depth: 0,
  };
  const passages = createPassages(database, { of: () => position, waitsFrom: () => waitsFrom });
  passages.add("engine", LANE, 2, 10 * DAY_MS);
  passages.add("engine", LANE, 5, 20 * DAY_MS);
  passages.add("posthog", LANE, 5, 99 * DAY_MS);
  const times = () => [0, 1, 2, 4, 5].map((seq) => passages.of("engine", LANE, seq));
  expect(times()).toEqual([10 * DAY_MS, 10 * DAY_MS, 20 * DAY_MS, 20 * DAY_MS, "waiting"]);
  passages.prune(60 * DAY_MS);
  expect(times()).toEqual([null, null, null, null, "waiting"]);
  position.next = 9;
  passages.add("engine", LANE, 9, 70 * DAY_MS);
  passages.prune(80 * DAY_MS);
  expect(times()).toEqual([null, null, null, null, 70 * DAY_MS]);
  // What comes next is for others only.
  waitsFrom = Number.POSITIVE_INFINITY;
  expect(passages.of("engine", LANE, 9)).toBe("never");
});
