/** A full outbox to a loopback sink: prickle's delivery against posthog-node fed from the same ledger, settled as durably. */

import { cp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Benchmark, type Finding, interleave, median, short } from "./benchmark.ts";
import { runToEnd, startPeer } from "./process.ts";

export interface DrainInput {
  readonly dataDir: string;
  readonly sinkUrl: string;
  readonly by: "prickle" | "posthog-node";
  readonly protocol: "v0" | "v1";
}

export interface DrainResult {
  readonly tookMs: number;
  /** Resident, in MB: with all of it waiting, and the most until it was empty. */
  readonly waitingMegabytes: number;
  readonly peakMegabytes: number;
}

const MESSAGES = 1_000_000;
const QUICK_MESSAGES = 10_000;
/** What is kept in memory for a message that waits must not show: a tenth of them takes about as much. */
const FEWER = 10;

export const drain: Benchmark = {
  name: "drain",
  about: `An outbox of ${MESSAGES.toLocaleString("en-US")} messages of 1 KB to a loopback sink by both protocols, against posthog-node from the same outbox.`,

  async run({ quick, scratch, log }) {
    const messages = quick ? QUICK_MESSAGES : MESSAGES;
    const [full, fewer] = [join(scratch, "full"), join(scratch, "fewer")];
    await runToEnd("peers/fill.ts", { input: { dataDir: full, messages } });
    await runToEnd("peers/fill.ts", { input: { dataDir: fewer, messages: messages / FEWER } });
    const drainOf = (filled: string, by: DrainInput["by"], protocol: DrainInput["protocol"]) => async () => {
      const dataDir = join(scratch, by);
      await copyToDisk(filled, dataDir);
      const sink = await startPeer("sink.ts", { input: { distinct: true, later: true } });
      const input: DrainInput = { dataDir, sinkUrl: sink.url, by, protocol };
      const env = { POSTHOG_CAPTURE_MODE: protocol };
      const result = await runToEnd<DrainResult>("peers/drain.ts", { input, env });
      const { distinct } = (await (await fetch(sink.url)).json()) as { distinct: number };
      await sink.stop();
      await rm(dataDir, { recursive: true, force: true });
      return { ...result, perSecond: distinct / (result.tookMs / 1000), distinct };
    };
    const rounds = await interleave(quick ? 1 : 3, {
      posthogNodeV0: drainOf(full, "posthog-node", "v0"),
      v0: drainOf(full, "prickle", "v0"),
      posthogNodeV1: drainOf(full, "posthog-node", "v1"),
      v1: drainOf(full, "prickle", "v1"),
      fewer: drainOf(fewer, "prickle", "v1"),
    });
    const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
    const speeds = PROTOCOLS.map((protocol): Finding => {
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
    const megabytes = (of: "v1" | "fewer", what: "waitingMegabytes" | "peakMegabytes") =>
      middle((round) => round[of][what]);
    const many = megabytes("v1", "waitingMegabytes");
    const few = megabytes("fewer", "waitingMegabytes");
    const peaks = [megabytes("v1", "peakMegabytes"), megabytes("fewer", "peakMegabytes")];
    return [
      ...speeds,
      {
        kind: "measured",
        what: "memory with all waiting, of a tenth waiting",
        value: many / few,
        unit: "x",
        goal: { atMost: 1.2 },
        note: `${short(many)} of ${short(few)} MB; at most, while it empties, ${peaks.map(short).join(" of ")} MB`,
      },
    ];
  },
};

const PROTOCOLS = ["v0", "v1"] as const;

/** On disk when it resolves: else it would be written while whoever drains it is timed. */
async function copyToDisk(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  for (const name of await readdir(to)) {
    const file = await open(join(to, name));
    await file.sync();
    await file.close();
  }
}
