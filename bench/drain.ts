/** A full outbox to a loopback sink: prickle's delivery against posthog-node fed from the same ledger, settled as durably. */

import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runToEnd, startPeer } from "./process.ts";

export interface DrainInput {
  readonly dataDir: string;
  readonly sinkUrl: string;
  readonly by: "prickle" | "posthog-node";
  readonly protocol: "v0" | "v1";
}

export interface DrainResult {
  readonly tookMs: number;
}

const MESSAGES = 200_000;
const QUICK_MESSAGES = 10_000;

export const drain: Benchmark = {
  name: "drain",
  about: `An outbox of ${MESSAGES.toLocaleString("en-US")} messages of 1 KB to a loopback sink by both protocols, against posthog-node from the same outbox.`,

  async run({ quick, scratch, log }) {
    const messages = quick ? QUICK_MESSAGES : MESSAGES;
    const full = join(scratch, "full");
    await runToEnd("peers/fill.ts", { input: { dataDir: full, messages } });
    const drainBy = (by: DrainInput["by"], protocol: DrainInput["protocol"]) => async () => {
      const dataDir = join(scratch, by);
      await cp(full, dataDir, { recursive: true });
      const sink = await startPeer("sink.ts", { input: { distinct: true, later: true } });
      const input: DrainInput = { dataDir, sinkUrl: sink.url, by, protocol };
      const env = { POSTHOG_CAPTURE_MODE: protocol };
      const { tookMs } = await runToEnd<DrainResult>("peers/drain.ts", { input, env });
      const { distinct } = (await (await fetch(sink.url)).json()) as { distinct: number };
      await sink.stop();
      await rm(dataDir, { recursive: true, force: true });
      return { perSecond: distinct / (tookMs / 1000), distinct };
    };
    const rounds = await interleave(quick ? 1 : 3, {
      posthogNodeV0: drainBy("posthog-node", "v0"),
      v0: drainBy("prickle", "v0"),
      posthogNodeV1: drainBy("posthog-node", "v1"),
      v1: drainBy("prickle", "v1"),
    });
    const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
    return PROTOCOLS.map((protocol) => {
      const peer = protocol === "v0" ? "posthogNodeV0" : "posthogNodeV1";
      for (const round of rounds) {
        log(
          `${protocol}: posthog-node ${short(round[peer].perSecond)}/s, prickle ${short(round[protocol].perSecond)}/s`,
        );
      }
      const arrived = Math.min(...rounds.map((round) => round[protocol].distinct));
      return {
        kind: "measured",
        what: `${protocol}: messages/s, of posthog-node`,
        value: middle((round) => round[protocol].perSecond / round[peer].perSecond),
        unit: "x",
        goal: { atLeast: 6 },
        note: `${short(middle((round) => round[protocol].perSecond))}/s of ${short(middle((round) => round[peer].perSecond))}/s; ${short(arrived)} of ${short(messages)} arrived`,
      };
    });
  },
};

const PROTOCOLS = ["v0", "v1"] as const;
