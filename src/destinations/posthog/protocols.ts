/** Which protocol the server speaks: found out by a question that can neither lose nor double an event, and remembered. */

import { randomUUID } from "node:crypto";
import { isoTime } from "../../core/iso-time.ts";
import { parseObject } from "./answer.ts";
import { LIVE } from "./capture.ts";
import { type AskOptions, createAsk } from "./v1-request.ts";

export type Protocol = "v0" | "v1";

export interface ProtocolFinder {
  /** Asks at most once at a time, and again when what it found has grown old. Never rejects. */
  find(signal: AbortSignal): Promise<Protocol>;
  /** It turned out not to be there. v1: v0 for now, and it is asked again soon. v0, where that was found: it is asked again at once. */
  noteAbsent(protocol: Protocol): void;
  /** What was found last; null: nothing yet. */
  known(): Protocol | null;
}

/** A server that has no v1 may get it. */
const V0_FOR_MS = 3_600_000;
/** The question got no answer, or v1 was gone when it was used. */
const UNSURE_FOR_MS = 60_000;

export type ProbeOptions = Omit<AskOptions, "compression">;

/** v0, which every server has, whenever it is not certain that v1 is there. */
export function createProtocolFinder(options: ProbeOptions): ProtocolFinder {
  const { clock } = options;
  let found: { readonly protocol: Protocol; readonly until: number } | null = null;
  let finding: Promise<Protocol> | null = null;

  async function ask(signal: AbortSignal): Promise<Protocol> {
    const answer = await hasV1(options, signal);
    const protocol = answer ? "v1" : "v0";
    if (signal.aborted) return protocol;
    const forMs = answer === null ? UNSURE_FOR_MS : V0_FOR_MS;
    found = { protocol, until: answer ? Number.POSITIVE_INFINITY : clock.now() + forMs };
    return protocol;
  }

  return {
    async find(signal) {
      if (found && clock.now() < found.until) return found.protocol;
      finding ??= ask(signal).finally(() => {
        finding = null;
      });
      return finding;
    },
    noteAbsent(protocol) {
      if (protocol === "v1") found = { protocol: "v0", until: clock.now() + UNSURE_FOR_MS };
      else if (found?.protocol === "v0") found = { protocol: "v0", until: clock.now() };
    },
    known: () => found?.protocol ?? null,
  };
}

/**
 * Sends a batch without events: v1 refuses it as `empty_batch` (or says what else is wrong, in its own form), and a
 * server without v1 answers something else. Null: there was no answer that tells.
 */
export async function hasV1(options: ProbeOptions, signal: AbortSignal): Promise<boolean | null> {
  const ask = createAsk({ ...options, compression: "none" });
  const head = { id: randomUUID(), createdAt: isoTime(options.clock.now()), way: LIVE, attempt: 1 };
  const answer = await ask([], head, signal);
  if (!("status" in answer) || answer.status >= 500 || PASSING.has(answer.status)) return null;
  return typeof parseObject(answer.body)?.error === "string" && !NOT_THERE.has(answer.status);
}

const PASSING: ReadonlySet<number> = new Set([408, 429]);
const NOT_THERE: ReadonlySet<number> = new Set([404, 405]);
