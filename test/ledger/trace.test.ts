/** The journal of the ledger on SQLite: what it keeps, what it lets go of, and what it says of what is missing. */

import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, rmdir, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Ledger } from "../../src/core/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { blocksIn, ENTRY_KINDS, entriesIn } from "../../src/ledger/sqlite/trace/journal-block.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { describeTracing, type TracingLedger } from "../contracts/trace.ts";
import { createManualClock } from "../fakes/clock.ts";
import { LANES, rulesOfSources } from "../pipeline/attributed.ts";
import { commitOf, trackCall } from "./attributing.ts";
import { breakableDisk, createStoreRig } from "./store-rig.ts";

const logger = createLogger("silent");
const DAY_MS = 86_400_000;
/** More than the last word of the journal takes. */
const WORD_BYTES = 30;

describeTracing("SQLite", async (): Promise<TracingLedger> => {
  const directory = await mkdtemp(join(tmpdir(), "prickle-trace-"));
  const kept = { directory, destinations: ["posthog", "engine"], maxDepth: 1_000, seenDays: 7, lanes: LANES };
  return {
    open: (options) => openSqliteLedger({ ...kept, ...options, logger }),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
});

describe("the journal", () => {
  let directory: string;
  let ledger: Ledger;
  const clock = createManualClock();

  async function open(limits: { traceBytes?: number; traceDays?: number } = {}): Promise<void> {
    const kept = { directory, destinations: ["engine"], maxDepth: 1e6, seenDays: 7, lanes: LANES };
    ledger = await openSqliteLedger({ ...kept, ...limits, groupRules: rulesOfSources({ segment: {} }), clock, logger });
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "prickle-journal-"));
  });
  afterEach(async () => {
    await ledger.close();
    await rm(directory, { recursive: true, force: true });
  });

  const filesOf = async () => (await readdir(directory)).filter((name) => name.startsWith("trace-")).sort();
  const commit = (at: number) => ledger.commit(commitOf([trackCall(at, `user ${at}`)]));
  const isKnown = async (at: number) => (await ledger.trace({ id: `m${at}` })).records.length > 0;

  async function bytesOf(): Promise<number> {
    const sizes = await Promise.all((await filesOf()).map(async (name) => (await stat(join(directory, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  it("lets go of the oldest when it has more bytes than it may", async () => {
    await open({ traceBytes: 64 * 1024 });
    for (let at = 0; at < 300; at++) {
      await commit(at);
      await clock.advance(2_000);
    }
    expect(await bytesOf()).toBeLessThan(70 * 1024);
    expect([await isKnown(0), await isKnown(299)]).toEqual([false, true]);
    const { memory } = await ledger.trace({ id: "m299" });
    expect(memory.since).toBeGreaterThan(clock.now() - 300 * 2_000);
  });

  it("lets go of what is older than its days when it is pruned", async () => {
    await open({ traceDays: 3 });
    for (let at = 0; at < 6; at++) {
      await commit(at);
      await clock.advance(DAY_MS);
    }
    await ledger.prune();
    expect([await isKnown(0), await isKnown(2), await isKnown(5)]).toEqual([false, true, true]);
  });

  it("is not there when it may have no bytes", async () => {
    await open({ traceBytes: 0 });
    await commit(1);
    expect(await ledger.trace({ id: "m1" })).toMatchObject({ records: [], memory: { isOn: false, since: null } });
    expect(await filesOf()).toEqual([]);
  });

  it("whose end is missing tells when that was, and what the tables know of the message", async () => {
    await open();
    await commit(1);
    const endedAt = clock.now();
    await clock.advance(10_000);
    const { id = 0, messages = [] } =
      (await ledger.claim({ destination: "engine", service: "live", maxMessages: 9, maxBytes: 1e6, leaseMs: 1 })) ?? {};
    await ledger.settle(
      id,
      messages.map(() => ({ kind: "delivered" })),
    );
    await ledger.close();
    const [name = ""] = await filesOf();
    await truncate(join(directory, name), (await stat(join(directory, name))).size - WORD_BYTES);
    const passedAt = clock.now();
    await clock.advance(10_000);
    await open();
    const { records, memory } = await ledger.trace({ id: "m1" });
    expect(records[0]?.outputs[0]?.deliveries).toEqual([
      { destination: "engine", steps: [], state: { kind: "passed", at: passedAt } },
    ]);
    expect(memory.gaps).toEqual([{ from: endedAt, until: null }]);
    await commit(2);
    expect((await ledger.trace({ id: "m2" })).memory.gaps).toEqual([{ from: endedAt, until: clock.now() }]);
  });

  it("that cannot be written holds up nothing, and tells from when to when something may be missing", async () => {
    await open();
    await commit(0);
    const from = clock.now();
    await clock.advance(DAY_MS);
    const inTheWay = join(directory, "trace-000000000002.log");
    await mkdir(inTheWay);
    await commit(1);
    await clock.advance(5_000);
    await rmdir(inTheWay);
    await commit(2);
    expect([await isKnown(0), await isKnown(1), await isKnown(2)]).toEqual([true, false, true]);
    expect((await ledger.trace({ id: "m2" })).memory.gaps).toEqual([{ from, until: clock.now() }]);
    expect((await ledger.status()).depth).toBe(3);
  });
});

it("says nothing of a transaction that was rolled back", () => {
  const rig = createStoreRig({ traceBytes: 1_000_000, traceDays: 1 });
  const disk = breakableDisk();
  onTestFinished(() => {
    disk.mend();
    rig.remove();
  });
  const commitsTold = () =>
    (rig.ask("traceFiles", null) ?? []).flatMap(({ path }) =>
      [...blocksIn(readFileSync(path))].flatMap((block) =>
        [...entriesIn(block)].filter(({ kind }) => kind === ENTRY_KINDS.commit),
      ),
    ).length;
  rig.commit([[0, "a"]]);
  expect(commitsTold()).toBe(1);
  disk.limitFiles(10);
  expect(() => rig.commit([[0, "b"]])).toThrow("LEDGER_FULL");
  disk.mend();
  expect(commitsTold()).toBe(1);
  rig.commit([[0, "c"]]);
  expect(commitsTold()).toBe(2);
});
