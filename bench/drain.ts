/** A full outbox to a loopback sink: prickle's delivery against posthog-node fed from the same ledger, settled as durably. */

import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runToEnd, startPeer } from "./process.ts";

export interface DrainInput {
  readonly dataDir: string;
  readonly sinkUrl: string;
  readonly by: "prickle" | "posthog-node";
}

export interface DrainResult {
  readonly tookMs: number;
}

const MESSAGES = 200_000;
const QUICK_MESSAGES = 10_000;

export const drain: Benchmark = {
  name: "drain",
  about: `An outbox of ${MESSAGES.toLocaleString("en-US")} messages of 1 KB to a loopback sink, against posthog-node from the same outbox.`,

  async run({ quick, scratch, log }) {
    const messages = quick ? QUICK_MESSAGES : MESSAGES;
    const full = join(scratch, "full");
    await runToEnd("peers/fill.ts", { input: { dataDir: full, messages } });
    const drainBy = (by: DrainInput["by"]) => async () => {
      const dataDir = join(scratch, by);
      await cp(full, dataDir, { recursive: true });
      const sink = await startPeer("sink.ts", { input: { distinct: true, later: true } });
      const { tookMs } = await runToEnd<DrainResult>("peers/drain.ts", { input: { dataDir, sinkUrl: sink.url, by } });
      const { distinct } = (await (await fetch(sink.url)).json()) as { distinct: number };
      await sink.stop();
      await rm(dataDir, { recursive: true, force: true });
      return { perSecond: distinct / (tookMs / 1000), distinct };
    };
    const rounds = await interleave(quick ? 1 : 3, {
      posthogNode: drainBy("posthog-node"),
      prickle: drainBy("prickle"),
    });
    for (const { posthogNode, prickle } of rounds) {
      log(`posthog-node ${short(posthogNode.perSecond)}/s, prickle ${short(prickle.perSecond)}/s`);
    }
    const arrived = Math.min(...rounds.map(({ prickle }) => prickle.distinct));
    return [
      {
        kind: "measured",
        what: "messages/s, of posthog-node",
        value: median(rounds.map(({ posthogNode, prickle }) => prickle.perSecond / posthogNode.perSecond)),
        unit: "x",
        goal: { atLeast: 6 },
        note: `${short(median(rounds.map(({ prickle }) => prickle.perSecond)))}/s of ${short(median(rounds.map(({ posthogNode }) => posthogNode.perSecond)))}/s; ${short(arrived)} of ${short(messages)} arrived`,
      },
    ];
  },
};
