/** How the benchmarks start prickle and what they send it. */

import { randomBytes } from "node:crypto";
import type { LoadOptions } from "./load.ts";
import { type Peer, type PeerOptions, startPeer } from "./process.ts";

export const WRITE_KEY = "wk_bench";

export interface PrickleOptions {
  readonly dataDir: string;
  /** Deliver to this sink in PostHog's form; null: messages stay in the outbox. */
  readonly sinkUrl?: string | null;
  readonly protocol?: "v0" | "v1";
  /** False: a ledger that keeps nothing, to see what the commit costs. */
  readonly commit?: boolean;
}

export function startPrickle(
  { dataDir, sinkUrl = null, protocol = "v0", commit = true }: PrickleOptions,
  options: Pick<PeerOptions, "env"> = {},
): Promise<Peer> {
  return startPeer("prickle.ts", { ...options, input: { dataDir, sinkUrl, protocol, commit }, killAfterMs: 15_000 });
}

export function loadOptions(
  url: string,
  { clients, callsPerRequest, quick }: { clients: number; callsPerRequest: number; quick: boolean },
): LoadOptions {
  return {
    url,
    path: callsPerRequest === 1 ? "/v1/track" : "/v1/batch",
    clients,
    callsPerRequest,
    warmupMs: quick ? 300 : 1500,
    durationMs: quick ? 500 : 4000,
    headers: { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString("base64")}` },
    runId: randomBytes(4).toString("hex"),
  };
}
