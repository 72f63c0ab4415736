/** A disk whose flushes take 2 ms longer: the event loop must not notice, and groups must grow. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { type LoadResult, runLoad } from "./load.ts";
import { loadOptions, startPrickle } from "./prickle.ts";

const CLIENTS = 64;
const SLOW_FLUSH_US = "2000";

export const slowDisk: Benchmark = {
  name: "slow-disk",
  about: `2 ms added to every flush, ${CLIENTS} clients with single calls, 16 with batches of 100.`,

  async run({ quick, scratch, log }) {
    const shim = await compileShim(scratch);
    if (shim === null) return [{ kind: "skipped", what: "slow flushes", why: "Needs Linux and a C compiler (cc)." }];
    const env = { LD_PRELOAD: shim, SLOW_FLUSH_US };
    const fast = await startPrickle({ dataDir: join(scratch, "fast") });
    const slow = await startPrickle({ dataDir: join(scratch, "slow") }, { env });
    const without = await startPrickle({ dataDir: join(scratch, "without"), commit: false });
    const single = (url: string) => () => runLoad(loadOptions(url, { clients: CLIENTS, callsPerRequest: 1, quick }));
    const batch = (url: string) => () => runLoad(loadOptions(url, { clients: 16, callsPerRequest: 100, quick }));
    try {
      const rounds = quick ? 1 : 3;
      const singles = await interleave(rounds, { fast: single(fast.url), slow: single(slow.url) });
      const batched = await interleave(rounds, { without: batch(without.url), slow: batch(slow.url) });
      for (const round of singles) log(`single: fast ${told(round.fast)}, slow ${told(round.slow)}`);
      for (const round of batched) log(`batches: without commit ${told(round.without)}, slow ${told(round.slow)}`);
      return [
        {
          kind: "measured",
          what: `p99 at ${CLIENTS} clients, single calls`,
          value: median(singles.map((round) => round.slow.p99Ms)),
          unit: "ms",
          goal: { atMost: 30 },
          note: `on the fast disk ${median(singles.map((round) => round.fast.p99Ms)).toFixed(1)} ms; the loop's own lag, p99: ${await loopLagMs(slow.url)} ms`,
        },
        {
          kind: "measured",
          what: "single calls/s, of the fast disk",
          value: median(singles.map((round) => round.slow.perSecond / round.fast.perSecond)),
          unit: "x",
          goal: null,
          note: `${short(median(singles.map((round) => round.slow.perSecond)))}/s`,
        },
        {
          kind: "measured",
          what: "batches of 100, of the path without commit",
          value: median(batched.map((round) => round.slow.perSecond / round.without.perSecond)),
          unit: "x",
          goal: { atLeast: 0.6 },
          note: `${short(median(batched.map((round) => round.slow.perSecond)))}/s of ${short(median(batched.map((round) => round.without.perSecond)))}/s`,
        },
      ];
    } finally {
      await Promise.all([fast.stop(), slow.stop(), without.stop()]);
    }
  },
};

async function compileShim(scratch: string): Promise<string | null> {
  if (process.platform !== "linux") return null;
  const source = fileURLToPath(new URL("peers/slow-flush.c", import.meta.url));
  const shim = join(scratch, "slow-flush.so");
  const compiling = promisify(execFile)("cc", ["-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"]);
  return compiling.then(
    () => shim,
    () => null,
  );
}

async function loopLagMs(url: string): Promise<string> {
  const page = await fetch(`${url}/metrics`).then((answer) => answer.text());
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(page)?.[1];
  return (Number(seconds) * 1000).toFixed(1);
}

function told({ perSecond, p99Ms }: LoadResult): string {
  return `${short(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms`;
}
