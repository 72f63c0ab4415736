/** HTTP in, durable, delivered to a loopback sink, against node:http + posthog-node, which is not durable. */

import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Benchmark, type Finding, interleave, median, short } from "./benchmark.ts";
import { runLoad } from "./load.ts";
import { loadOptions, startPrickle } from "./prickle.ts";
import { type Peer, startPeer } from "./process.ts";

interface Passage {
  readonly accepted: number;
  readonly delivered: number;
  readonly distinct: number;
  /** Delivered per second, from the first call to the last delivery. */
  readonly perSecond: number;
  /** From the last answer to the last delivery. */
  readonly lagMs: number;
}

const LOOK_EVERY_MS = 50;
/** A sink that got nothing for so long will get no more: longer than posthog-node's 10 s between flushes. */
const PATIENCE_MS = 11_000;
const QUICK_PATIENCE_MS = 1500;

export const endToEnd: Benchmark = {
  name: "end-to-end",
  about: "HTTP in → durable → delivered to a loopback sink, against node:http + posthog-node.",

  async run(options) {
    const batch = await compare({ ...options, protocol: "v0", callsPerRequest: 100, clients: 16, goal: 5 });
    const batchByV1 = await compare({ ...options, protocol: "v1", callsPerRequest: 100, clients: 16, goal: 5 });
    const single = await compare({ ...options, protocol: "v0", callsPerRequest: 1, clients: 256, goal: 1.2 });
    const singleByV1 = await compare({ ...options, protocol: "v1", callsPerRequest: 1, clients: 256, goal: 1.2 });
    return [...batch, ...batchByV1, ...single, ...singleByV1];
  },
};

interface Comparison {
  readonly quick: boolean;
  readonly scratch: string;
  readonly log: (line: string) => void;
  /** Of both who deliver. */
  readonly protocol: "v0" | "v1";
  readonly callsPerRequest: number;
  readonly clients: number;
  readonly goal: number;
}

async function compare(comparison: Comparison): Promise<readonly Finding[]> {
  const { quick, log, protocol, callsPerRequest, goal } = comparison;
  const env = { POSTHOG_CAPTURE_MODE: protocol };
  const rounds = await interleave(quick ? 1 : 3, {
    posthogNode: () => pass(comparison, (sinkUrl) => startPeer("posthog-node.ts", { input: { sinkUrl }, env })),
    prickle: () =>
      pass(comparison, async (sinkUrl) =>
        startPrickle({ dataDir: await mkdtemp(join(comparison.scratch, "data-")), sinkUrl, protocol }),
      ),
  });
  for (const { posthogNode, prickle } of rounds) log(`posthog-node ${told(posthogNode)}; prickle ${told(prickle)}`);
  const middle = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
  const what = `${protocol}, ${callsPerRequest === 1 ? "single calls" : `batches of ${callsPerRequest}`}`;
  const lost = rounds.reduce((sum, { prickle }) => sum + prickle.accepted - prickle.distinct, 0);
  return [
    {
      kind: "measured",
      what: `${what}: delivered/s, of posthog-node`,
      value: middle(({ prickle, posthogNode }) => prickle.perSecond / posthogNode.perSecond),
      unit: "x",
      goal: { atLeast: goal },
      note: `${short(middle(({ prickle }) => prickle.perSecond))}/s of ${short(middle(({ posthogNode }) => posthogNode.perSecond))}/s`,
    },
    {
      kind: "measured",
      what: `${what}: accepted but not delivered`,
      value: lost,
      unit: "",
      goal: { atMost: 0 },
      note: `of ${short(rounds.reduce((sum, { prickle }) => sum + prickle.accepted, 0))}; posthog-node loses ${(100 * middle(({ posthogNode }) => 1 - posthogNode.distinct / posthogNode.accepted)).toFixed(1)} %`,
    },
    {
      kind: "measured",
      what: `${what}: lag after the last answer`,
      value: middle(({ prickle }) => prickle.lagMs),
      unit: "ms",
      goal: null,
      note: `posthog-node ${middle(({ posthogNode }) => posthogNode.lagMs).toFixed(0)} ms for what it keeps`,
    },
  ];
}

async function pass(
  { quick, callsPerRequest, clients }: Comparison,
  start: (sinkUrl: string) => Promise<Peer>,
): Promise<Passage> {
  const sink = await startPeer("sink.ts", { input: { distinct: true } });
  const server = await start(sink.url);
  try {
    const startedAt = performance.now();
    const { callsInAll } = await runLoad(loadOptions(server.url, { clients, callsPerRequest, quick }));
    const answeredAt = performance.now();
    const { events, distinct, lastAt } = await waitForTheLast(
      sink.url,
      callsInAll,
      quick ? QUICK_PATIENCE_MS : PATIENCE_MS,
    );
    return {
      accepted: callsInAll,
      delivered: events,
      distinct,
      perSecond: events / ((Math.max(lastAt, answeredAt) - startedAt) / 1000),
      lagMs: Math.max(0, lastAt - answeredAt),
    };
  } finally {
    await server.stop();
    await sink.stop();
  }
}

/** Until the sink has them all, or gets no more. */
async function waitForTheLast(
  sinkUrl: string,
  expected: number,
  patienceMs: number,
): Promise<{ events: number; distinct: number; lastAt: number }> {
  let last = { events: 0, distinct: 0, lastAt: performance.now() };
  for (;;) {
    const answer = await fetch(sinkUrl);
    const { events, distinct } = (await answer.json()) as { events: number; distinct: number };
    if (events > last.events) last = { events, distinct, lastAt: performance.now() };
    if (distinct >= expected || performance.now() - last.lastAt > patienceMs) return last;
    await delay(LOOK_EVERY_MS);
  }
}

function told({ accepted, delivered, perSecond, lagMs }: Passage): string {
  return `${short(perSecond)}/s, ${short(delivered)} of ${short(accepted)}, lag ${lagMs.toFixed(0)} ms`;
}
