/** Ninety days of Plankton, an invented planning tool for teams: the calls its feed to Segment would hold. */

import { constants, gzipSync } from "node:zlib";
import { type Call, completeCall } from "./call.ts";
import { createCustomers, DAYS } from "./customer.ts";
import { callsOf, DAY_MS } from "./day.ts";
import { type Chance, createChance } from "./random.ts";

const SEED = "plankton";
/** A Monday; the last day is 2026-10-31. */
const FIRST_DAY_MS = Date.UTC(2026, 7, 3);
/** Of a hundred calls, so many come twice, as they do in real feeds. */
const REPEATED_PERCENT = 1;

/** JSON lines in order of time, the same bytes on every machine. */
export function generateSample(): string {
  const chance = createChance(SEED, "feed");
  const customers = createCustomers(SEED);
  const calls: Call[] = [];
  for (let day = 0; day < DAYS; day++) {
    const startMs = FIRST_DAY_MS + day * DAY_MS;
    for (const customer of customers) calls.push(...callsOf(customer, { day, startMs }));
    if (day % 10 === 5) calls.push(...unusableCalls(day, startMs));
  }
  calls.sort((one, other) => (one.timestamp < other.timestamp ? -1 : one.timestamp > other.timestamp ? 1 : 0));
  const lines = calls.map((call) => JSON.stringify(call));
  return `${withRepeats(lines, chance).join("\n")}\n`;
}

/** gzip with no time or name inside. */
export function compressSample(text: string): Buffer {
  return gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
}

/** Mistakes every real feed has: each is refused with a reason and stops nothing else. */
function unusableCalls(day: number, startMs: number): readonly Call[] {
  const at = startMs + DAY_MS / 2 + day;
  return [
    completeCall("server", at, { type: "track", event: "Cron Finished", properties: { job: `nightly-${day}` } }),
    completeCall("browser", at + 1, { type: "group", userId: "u_1000", groupId: "", traits: { name: "" } }),
    completeCall("server", at + 2, { type: "delete", userId: `u_${1000 + day}` }),
  ];
}

function withRepeats(lines: readonly string[], chance: Chance): readonly string[] {
  const feed: string[] = [];
  for (const line of lines) {
    feed.push(line);
    const earlier = feed[feed.length - 1 - chance.below(Math.min(40, feed.length))];
    if (earlier !== undefined && chance.percent(REPEATED_PERCENT)) feed.push(earlier);
  }
  return feed;
}
