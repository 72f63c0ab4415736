import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SERVICES } from "../../src/core/service.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { LANES } from "./crash-lanes.ts";

const CHILD = fileURLToPath(new URL("./crash-child.ts", import.meta.url));
/** Lines the child may say before it is killed, by life. */
const LIVES = [1, 40, 7, 150, 83, 3, 211, 118];
/** More than any of them can number. */
const NUMBERS_PER_LIFE = 1_000_000;

interface Said {
  readonly committed: number[];
  readonly claimed: number[];
  readonly settled: number[];
}

describe("a ledger whose process is killed at random moments", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "prickle-crash-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("has everything it confirmed, once and in lane order, and never gives again what was settled", async () => {
    const said: Said = { committed: [], claimed: [], settled: [] };
    for (const [life, lines] of LIVES.entries()) await liveAndDie(directory, life * NUMBERS_PER_LIFE, lines, said);
    const left = await readOutbox(directory);

    expect(said.committed.length).toBeGreaterThan(200);
    expect(said.settled.length).toBeGreaterThan(100);
    expect(left.length).toBeGreaterThan(0);
    expect(new Set(left).size).toBe(left.length);
    expect(byLane(left)).toEqual(byLane(left.toSorted((one, other) => one - other)));
    // In the order they were settled, and none twice, in any life.
    expect(byLane(said.settled)).toEqual(byLane([...new Set(said.settled)].sort((one, other) => one - other)));
    const seen = new Set([...said.claimed, ...left]);
    expect(said.committed.filter((number) => !seen.has(number))).toEqual([]);
    const settled = new Set(said.settled);
    expect(left.filter((number) => settled.has(number))).toEqual([]);
  });
});

/** Runs the child from number `first` on, and kills it once it has said so many lines. */
async function liveAndDie(directory: string, first: number, lines: number, said: Said): Promise<void> {
  const child = spawn(process.execPath, [CHILD, directory, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let heard = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = "", ...numbers] = line.split(" ");
    if (what === "committed" || what === "claimed" || what === "settled") said[what].push(...numbers.map(Number));
    heard += 1;
    if (heard === lines) child.kill("SIGKILL");
  }
  expect(await closed).toEqual([null, "SIGKILL"]);
}

async function readOutbox(directory: string): Promise<readonly number[]> {
  const ledger = await openSqliteLedger({
    directory,
    destinations: ["posthog"],
    maxDepth: 1_000_000,
    seenDays: 7,
    logger: createLogger("silent"),
  });
  const numbers: number[] = [];
  for (const service of SERVICES) {
    const request = { destination: "posthog", service, maxMessages: 1000, maxBytes: 10_000_000, leaseMs: 60_000 };
    for (let claim = await ledger.claim(request); claim; claim = await ledger.claim(request)) {
      numbers.push(...claim.messages.map(({ body }) => Number(new TextDecoder().decode(body))));
      await ledger.settle(
        claim.id,
        claim.messages.map(() => ({ kind: "delivered" })),
      );
    }
  }
  expect((await ledger.status()).depth).toBe(0);
  await ledger.close();
  return numbers;
}

function byLane(numbers: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: LANES }, (_, lane) => numbers.filter((number) => number % LANES === lane));
}
