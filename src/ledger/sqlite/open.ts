/** The ledger on SQLite: one file, one process, everything that waits for the disk in a worker thread. */

import type { RulesBySource } from "../../core/attribution/rules.ts";
import type { Clock } from "../../core/clock.ts";
import type { DeadLetter, DeadLetterFilter, DeadLetterPage } from "../../core/dead-letter.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Claim, Ledger, LedgerRehearsal, SettleOutcome } from "../../core/ledger.ts";
import type { OutboxMessage } from "../../core/message.ts";
import type { Logger } from "../../core/observer.ts";
import { FRAME_HEAD_BYTES } from "../../core/parcel.ts";
import { serviceOfLane } from "../../core/service.ts";
import { systemClock } from "../../platform/clock.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { ClaimReply, DeadLetterRequest, DeadLetterSlice, PruneSlice, Requests } from "./protocol.ts";
import { trace } from "./trace/trace.ts";
import { startWorker, type WorkerClient } from "./worker-client.ts";

export interface SqliteLedgerOptions {
  /** That holds, or will hold, `ledger.sqlite` and the `outbox-….log` beside it. Must exist. */
  readonly directory: string;
  /** Names of those to feed. One added later gets what is then still in the outbox; one left out holds nothing back. */
  readonly destinations: readonly string[];
  /** Messages the outbox may hold before commits are refused. */
  readonly maxDepth: number;
  /** For how many full days a record's id is known again. */
  readonly seenDays: number;
  /** Of each service. Used when the ledger is created; an older one keeps its own. 64 by default. */
  readonly lanes?: number;
  /** Bytes after which the log of the outbox goes on in another file. 16 MB by default. */
  readonly segmentBytes?: number;
  /** For how many days dead letters are kept; null, the default: until somebody decides. */
  readonly deadLetterDays?: number | null;
  /** Of what is kept to trace messages by: 256 MB and 14 days by default; 0 bytes: nothing is. */
  readonly traceBytes?: number;
  readonly traceDays?: number;
  /** What the mappings of the sources say of their groups; a source not named has the defaults. */
  readonly groupRules?: RulesBySource;
  readonly clock?: Pick<Clock, "now">;
  readonly logger: Logger;
}

const DEFAULT_LANES = 64;
const NOTHING_CHANGED = "It stays a dead letter, as it was: `prickle dead show ID --payload` has its text.";
const MOST_CLAIMS = 64;
const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
const DEFAULT_TRACE = { traceBytes: 256 * 1024 * 1024, traceDays: 14 };

/** @throws LEDGER_LOCKED, LEDGER_TOO_NEW, LEDGER_FULL, LEDGER_UNAVAILABLE */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { lanes = DEFAULT_LANES, segmentBytes = DEFAULT_SEGMENT_BYTES, groupRules = {}, ...rest } = options;
  const { clock = systemClock, logger, ...others } = rest;
  const storeOptions = { ...DEFAULT_TRACE, ...others, lanes, segmentBytes, groupRules };
  const worker = startWorker(storeOptions, clock, logger);
  const opened = await worker.ask("open", storeOptions).catch(async (thrown: unknown) => {
    await worker.close();
    throw thrown;
  });
  /** Memory of claims, by their id: it goes back with the settlement. */
  const memories = new Map<number, ArrayBuffer>();
  return {
    lanes: opened.lanes,
    commit: createGroupCommit((bytes) => worker.ask("commit", { bytes })),
    async claim(request) {
      const reply = await worker.ask("claim", request);
      if (!reply) return null;
      memories.set(reply.id, reply.bytes.buffer);
      const [oldest] = memories.keys();
      // Whose lease ran out may never be settled.
      if (memories.size > MOST_CLAIMS && oldest !== undefined) memories.delete(oldest);
      return readClaim(reply, opened.lanes);
    },
    settle(claimId, outcomes) {
      const memory = memories.get(claimId) ?? null;
      memories.delete(claimId);
      return worker.ask("settle", { claimId, exceptions: exceptionsOf(outcomes), memory });
    },
    checkpoint: (name) => worker.ask("checkpoint", name),
    groups: (groupTypes) => worker.ask("groups", groupTypes),
    group: (query) => worker.ask("group", query),
    heldGroups: (query) => worker.ask("heldGroups", query),
    repairGroups: (request) => worker.ask("repairGroups", request),
    keys: (query) => worker.ask("keys", query),
    rows: (query) => worker.ask("rows", query),
    unseenRows: (query) => worker.ask("unseenRows", query),
    countRows: (query) => worker.ask("countRows", query),
    putRun: async (run) => void (await worker.ask("putRun", run)),
    runs: (filter) => worker.ask("runs", filter),
    status: () => worker.ask("status", null),
    listDeadLetters: (filter) => listDeadLetters(worker, filter),
    countDeadLetters: (filter) => inSlices((slice) => worker.ask("countDeadLetters", slice), filter),
    replayDeadLetters: (filter) => inSlices((slice) => worker.ask("replayDeadLetters", slice), filter),
    async replayEdited(letter) {
      const problem = await worker.ask("replayEdited", letter);
      if (problem) throw new PrickleError(problem.code, problem.detail, { hint: problem.hint ?? NOTHING_CHANGED });
    },
    dropDeadLetters: (filter) => inSlices((slice) => worker.ask("dropDeadLetters", slice), filter),
    rehearse: () => rehearse(worker),
    trace: (query) => trace(worker.ask, query),
    listRejections: (filter) => worker.ask("listRejections", filter),
    prune: () => prune(worker),
    close: () => worker.close(),
  };
}

async function rehearse(worker: WorkerClient): Promise<LedgerRehearsal> {
  const rehearsal = await worker.ask("beginRehearsal", null);
  return {
    commit: createGroupCommit((bytes) => worker.ask("rehearse", { rehearsal, bytes })),
    summary: () => worker.ask("rehearsalSummary", rehearsal),
    close: async () => void (await worker.ask("endRehearsal", rehearsal)),
  };
}

/** Slice by slice, each in a transaction of its own: commits go between them. */
async function prune(worker: WorkerClient): Promise<number> {
  await worker.ask("pruneRejections", null);
  await inSlices(({ after, upTo }) => worker.ask("expireDeadLetters", { after, upTo }), {});
  let forgotten = 0;
  let after: Uint8Array | null = null;
  do {
    const slice: PruneSlice = await worker.ask("pruneSeen", after);
    forgotten += slice.forgotten;
    after = slice.after;
  } while (after !== null);
  return forgotten;
}

async function listDeadLetters(
  worker: WorkerClient,
  { after: from = 0, maxBytes = Number.POSITIVE_INFINITY, ...filter }: DeadLetterFilter & DeadLetterPage,
): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let bytes = 0;
  let upTo: number | null = null;
  for (let after: number | null = from; after !== null; ) {
    const rest = filter.limit === undefined ? filter : { ...filter, limit: filter.limit - letters.length };
    const slice: Requests["listDeadLetters"]["gives"] = await worker.ask("listDeadLetters", {
      filter: rest,
      after,
      upTo,
    });
    for (const letter of slice.letters) {
      bytes += letter.body.length;
      if (letters.length > 0 && bytes > maxBytes) return letters;
      letters.push(letter);
    }
    ({ after, upTo } = slice);
  }
  return letters;
}

/** The same. Those that die while it goes on are left alone. */
async function inSlices(
  next: (request: DeadLetterRequest) => Promise<DeadLetterSlice>,
  filter: DeadLetterFilter,
): Promise<number> {
  let done = 0;
  let upTo: number | null = null;
  for (let after: number | null = 0; after !== null; ) {
    const rest = filter.limit === undefined ? filter : { ...filter, limit: filter.limit - done };
    const slice: DeadLetterSlice = await next({ filter: rest, after, upTo });
    done += slice.count;
    ({ after, upTo } = slice);
  }
  return done;
}

function exceptionsOf(outcomes: readonly SettleOutcome[]): [number, SettleOutcome][] {
  const exceptions: [number, SettleOutcome][] = [];
  for (let index = 0; index < outcomes.length; index++) {
    const outcome = outcomes[index];
    if (outcome && (outcome.kind !== "delivered" || outcome.note !== undefined)) exceptions.push([index, outcome]);
  }
  return exceptions;
}

/** The messages' bodies are views into the one buffer the worker handed over. */
function readClaim({ id, bytes, slots }: ClaimReply, lanes: number): Claim {
  const buffer = Buffer.from(bytes.buffer);
  const messages: OutboxMessage[] = [];
  let at = 0;
  for (const { lane, firstSeq, count, attempts, firstAttemptAt } of slots) {
    const historical = serviceOfLane(lane, lanes) === "historical";
    for (let seq = firstSeq; seq < firstSeq + count; seq++) {
      const end = at + FRAME_HEAD_BYTES + buffer.readUInt32LE(at);
      const body = buffer.subarray(at + FRAME_HEAD_BYTES, end);
      messages.push({ seq, lane, historical, body, attempts, firstAttemptAt });
      at = end;
    }
  }
  return { id, messages };
}
