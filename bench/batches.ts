/** Batches of 100 calls, durable before the answer. */

import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runLoad } from "./load.ts";
import { loadOptions, startPrickle } from "./prickle.ts";

const CLIENTS = 16;

export const batches: Benchmark = {
  name: "batches",
  about: `Batches of 100, ${CLIENTS} clients, against the same path with the commit left out.`,

  async run({ quick, scratch, log }) {
    const durable = await startPrickle({ dataDir: join(scratch, "durable") });
    const without = await startPrickle({ dataDir: join(scratch, "without"), commit: false });
    const load = (url: string) => () => runLoad(loadOptions(url, { clients: CLIENTS, callsPerRequest: 100, quick }));
    try {
      const rounds = await interleave(quick ? 1 : 5, { without: load(without.url), durable: load(durable.url) });
      for (const round of rounds) {
        log(`without commit ${short(round.without.perSecond)}/s, durable ${short(round.durable.perSecond)}/s`);
      }
      const failures = rounds.reduce((sum, round) => sum + round.durable.failures, 0);
      const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
      return [
        {
          kind: "measured",
          what: "calls/s, durable, of the path without commit",
          value: middle((round) => round.durable.perSecond / round.without.perSecond),
          unit: "x",
          goal: { atLeast: 0.85 },
          note: `${short(middle((round) => round.durable.perSecond))}/s of ${short(middle((round) => round.without.perSecond))}/s; ${failures} failed`,
        },
      ];
    } finally {
      await Promise.all([durable.stop(), without.stop()]);
    }
  },
};
