import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { commitOf, describeLedger, type LedgerTestOptions, messageOf } from "../contracts/ledger.ts";
import { createManualClock } from "../fakes/clock.ts";

const logger = createLogger("silent");

const sqlite = (segmentBytes?: number) => async () => {
  const directory = await mkdtemp(join(tmpdir(), "prickle-ledger-"));
  const log = segmentBytes === undefined ? {} : { segmentBytes };
  return {
    open: ({ maxDepth = 1_000_000, seenDays = 7, ...options }: LedgerTestOptions) =>
      openSqliteLedger({ directory, maxDepth, seenDays, logger, ...log, ...options }),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};

describeLedger("SQLite", sqlite());
// Nearly every commit begins another file, and nearly every settlement frees one.
describeLedger("SQLite, its log in small files,", sqlite(1_000));

describe("a ledger file", () => {
  let directory: string;
  const open = () =>
    openSqliteLedger({
      directory,
      destinations: ["posthog"],
      maxDepth: 1000,
      seenDays: 7,
      clock: createManualClock(),
      logger,
    });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "prickle-ledger-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("written by a newer prickle is refused, with both versions and its path", async () => {
    await (await open()).close();
    const file = join(directory, "ledger.sqlite");
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expect(open()).rejects.toMatchObject({
      code: "LEDGER_TOO_NEW",
      message: `${file} has version 99; this prickle reads versions up to 4`,
    });
  });

  it("in use is refused at once, with advice, and is free again when its owner closes it", async () => {
    const owner = await open();
    await expect(open()).rejects.toMatchObject({ code: "LEDGER_LOCKED", hint: expect.stringContaining("--data-dir") });
    await owner.close();
    await (await open()).close();
  });

  it("that is something else is refused and left as it is", async () => {
    await writeFile(
      join(directory, "ledger.sqlite"),
      "a letter to my aunt, long enough to look like a file\n".repeat(50),
    );
    await expect(open()).rejects.toMatchObject({
      code: "LEDGER_UNAVAILABLE",
      message: expect.stringContaining("ledger.sqlite"),
    });
  });

  it("in a directory that is not there is refused with its path", async () => {
    directory = join(directory, "missing");
    await expect(open()).rejects.toMatchObject({
      code: "LEDGER_UNAVAILABLE",
      message: expect.stringContaining(directory),
    });
  });

  it("of a prickle without historical lanes goes on: what waits keeps its lanes, and history has lanes of its own", async () => {
    const older = await open();
    await older.commit(commitOf([messageOf(63, "waiting")]));
    await older.close();
    const database = new DatabaseSync(join(directory, "ledger.sqlite"));
    database.exec("PRAGMA user_version = 3");
    database.close();
    const ledger = await open();
    expect(ledger.lanes).toBe(64);
    await ledger.commit(commitOf([messageOf(64, "history"), messageOf(63, "new")], 2));
    await ledger.close();
    const again = await open();
    const request = { destination: "posthog", maxMessages: 9, maxBytes: 9e6, leaseMs: 1000 };
    const bodies = async (service: "live" | "historical") =>
      (await again.claim({ ...request, service }))?.messages.map(({ lane, body }) => [
        lane,
        Buffer.from(body).toString(),
      ]);
    expect(await bodies("live")).toEqual([
      [63, "waiting"],
      [63, "new"],
    ]);
    expect(await bodies("historical")).toEqual([[64, "history"]]);
    await again.close();
  });

  it("keeps its number of lanes", async () => {
    const first = await openSqliteLedger({
      directory,
      destinations: [],
      maxDepth: 10,
      seenDays: 7,
      lanes: 8,
      clock: createManualClock(),
      logger,
    });
    await first.close();
    const second = await open();
    expect(second.lanes).toBe(8);
    await second.close();
  });

  it("closed, refuses what is asked of it", async () => {
    const ledger = await open();
    await ledger.close();
    await expect(ledger.commit(commitOf([messageOf(0, "a")]))).rejects.toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  });
});
