/** One call per request, durable before the answer. */

import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runLoad } from "./load.ts";
import { loadOptions, startPrickle } from "./prickle.ts";
import { startPeer } from "./process.ts";

const CLIENTS = 256;

export const singleCalls: Benchmark = {
  name: "single-calls",
  about: `One call per request, ${CLIENTS} clients, against bare node:http + JSON.parse.`,

  async run({ quick, scratch, log }) {
    const bare = await startPeer("bare.ts");
    const prickle = await startPrickle({ dataDir: join(scratch, "data") });
    const load = (url: string) => () => runLoad(loadOptions(url, { clients: CLIENTS, callsPerRequest: 1, quick }));
    try {
      const rounds = await interleave(quick ? 1 : 5, { bare: load(bare.url), prickle: load(prickle.url) });
      for (const round of rounds)
        log(`bare ${short(round.bare.perSecond)}/s, prickle ${short(round.prickle.perSecond)}/s`);
      const failures = rounds.reduce((sum, round) => sum + round.prickle.failures, 0);
      const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
      return [
        {
          kind: "measured",
          what: "calls/s, durable, of bare node:http",
          value: middle((round) => round.prickle.perSecond / round.bare.perSecond),
          unit: "x",
          goal: { atLeast: 0.6 },
          note: `${short(middle((round) => round.prickle.perSecond))}/s of ${short(middle((round) => round.bare.perSecond))}/s; ${failures} failed`,
        },
        {
          kind: "measured",
          what: "p99, of bare node:http",
          value: middle((round) => round.prickle.p99Ms / round.bare.p99Ms),
          unit: "x",
          goal: { atMost: 2.5 },
          note: `${middle((round) => round.prickle.p99Ms).toFixed(1)} ms of ${middle((round) => round.bare.p99Ms).toFixed(1)} ms`,
        },
      ];
    } finally {
      await Promise.all([bare.stop(), prickle.stop()]);
    }
  },
};
