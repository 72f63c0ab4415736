/** The same calls into the ledger with and without attribution: memberships kept, events that gain a group, differences of groups. */

import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runToEnd } from "./process.ts";

export interface AttributionInput {
  readonly directory: string;
  readonly calls: number;
  readonly attributes: boolean;
}

export interface AttributionResult {
  readonly callsPerSecond: number;
  /** Events that gained a group. */
  readonly attributed: number;
  readonly peakMegabytes: number;
}

export const attribution: Benchmark = {
  name: "attribution",
  about:
    "Calls that name no group, of people whose group is known: parsed, mapped and durable, with and without attribution.",

  async run({ quick, scratch, log }) {
    const calls = quick ? 5_000 : 200_000;
    const take = async (attributes: boolean) => {
      const directory = await mkdtemp(join(scratch, "data-"));
      return runToEnd<AttributionResult>("peers/attribution.ts", { input: { directory, calls, attributes } });
    };
    const rounds = await interleave(quick ? 1 : 5, { without: () => take(false), with: () => take(true) });
    for (const round of rounds) log(`without ${told(round.without)}; with ${told(round.with)}`);
    const rate = (which: "with" | "without") => median(rounds.map((round) => round[which].callsPerSecond));
    const [first] = rounds;
    return [
      {
        kind: "measured",
        what: "calls/s, of those without attribution",
        value: median(rounds.map((round) => round.with.callsPerSecond / round.without.callsPerSecond)),
        unit: "x",
        goal: { atLeast: 0.65 },
        note: `${short(rate("with"))}/s of ${short(rate("without"))}/s; ${short(first?.with.attributed ?? 0)} of ${short(calls)} events gained a group`,
      },
    ];
  },
};

function told({ callsPerSecond, peakMegabytes }: AttributionResult): string {
  return `${short(callsPerSecond)} calls/s, ${peakMegabytes.toFixed(0)} MB`;
}
