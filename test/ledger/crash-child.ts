/**
 * Commits and settles until it is killed: `node test/ledger/crash-child.ts DIRECTORY FIRST`. Message `n` is the text
 * `n` in lane `n % LANES`, from FIRST on. One line on stdout for each thing confirmed or about to be asked:
 * `committed n…` once on disk, `claimed n…` before it is settled, `settled n…` once that is on disk.
 */

import { writeSync } from "node:fs";
import type { Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import { SERVICES } from "../../src/core/service.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { uuidOf } from "../fakes/outbox.ts";
import { parcelOf } from "../fakes/parcels.ts";
import { LANES } from "./crash-lanes.ts";

const COMMITS_AT_ONCE = 6;
const STDOUT = 1;
/** Lanes of each service. */
const OF_EACH = LANES / SERVICES.length;

const [directory = "", first = "0"] = process.argv.slice(2);
const ledger = await openSqliteLedger({
  directory,
  destinations: ["posthog"],
  maxDepth: 1_000_000,
  seenDays: 7,
  lanes: OF_EACH,
  logger: createLogger("warn"),
});
let next = Number(first);
await Promise.all([...Array.from({ length: COMMITS_AT_ONCE }, () => commitForEver(ledger)), settleForEver(ledger)]);

async function commitForEver({ commit }: Ledger): Promise<never> {
  for (;;) {
    const numbers = Array.from({ length: 1 + (next % 17) }, () => next++);
    const messages = numbers.map((number) => ({ uuid: uuidOf(number), lane: number % LANES, json: String(number) }));
    await commit({ parcels: [parcelOf([{ id: uuidOf(numbers[0] ?? 0), messages }])], rejections: [] });
    say("committed", numbers);
  }
}

/** In each claim one lane is put off, now and then, so that positions with a past are on disk too. */
async function settleForEver({ claim, settle }: Ledger): Promise<never> {
  for (let turn = 0; ; turn++) {
    const taken = await claim({
      destination: "posthog",
      service: SERVICES[turn % SERVICES.length] ?? "live",
      maxMessages: 25,
      maxBytes: 100_000,
      leaseMs: 60_000,
    });
    if (!taken) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    const isPutOff = (lane: number) => turn % 3 === 0 && lane === (turn % SERVICES.length) * OF_EACH + (turn % OF_EACH);
    const numbers = taken.messages.map(({ body }) => Number(new TextDecoder().decode(body)));
    say("claimed", numbers);
    const outcomes = taken.messages.map(
      ({ lane }): SettleOutcome =>
        isPutOff(lane) ? { kind: "retry", reason: "busy", dueAt: Date.now() } : { kind: "delivered" },
    );
    await settle(taken.id, outcomes);
    say(
      "settled",
      numbers.filter((number) => !isPutOff(number % LANES)),
    );
  }
}

/** At once: what is said must not be lost with the process. */
function say(what: string, numbers: readonly number[]): void {
  if (numbers.length > 0) writeWhole(Buffer.from(`${what} ${numbers.join(" ")}\n`));
}

/** The pipe is full while whoever reads it has no turn. */
function writeWhole(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EAGAIN")) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
