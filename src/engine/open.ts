/** The embedded engine as the rest of prickle sees it: everything heavy happens in a worker thread. */

import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { GroupPage, GroupsQuery, GroupType, Trends, TrendsQuery } from "../core/analytics.ts";
import type { Outcome } from "../core/destination.ts";
import { PrickleError } from "../core/errors.ts";
import type { Logger } from "../core/observer.ts";
import { lockedFailure } from "./failures.ts";
import type { PackedBatch } from "./protocol.ts";
import { createWorkerClient } from "./worker-client.ts";

const DEFAULT_MEMORY_LIMIT_MB = 128;

export interface EngineOptions {
  /** A file, made if it is not there, in a directory that is; or ":memory:". One process holds it at a time. */
  readonly path: string;
  /** What the database may hold in memory; beyond it spills to a directory beside the file. */
  readonly memoryLimitMb?: number;
  /**
   * Take the indexes that are free in this order, before anything arrives; types that are stored keep theirs. None is
   * stored before a message names it, or one declared after it: what is never used can be declared otherwise next time.
   */
  readonly groupTypes?: readonly string[];
  readonly logger: Logger;
}

export interface Engine {
  /**
   * Applies the bodies in order, in one transaction: on disk when it resolves. `outcomes[i]` is for `bodies[i]`: delivered, or dead
   * when the message can never be applied (its neighbours are not affected). A body is the JSON text of
   * `{"event","distinct_id","uuid","timestamp","properties"}`; without a uuid one is made, without a timestamp it is
   * `arrivedAt` (ms UTC).
   *
   * As in PostHog, one event stands per (uuid, event, distinct id, UTC date): what comes again counts as delivered and
   * changes nothing. Unlike in PostHog this holds for group identifies too.
   * @throws ENGINE_UNAVAILABLE (retryable): the disk is full, or the file is locked or gone. Nothing of the batch is applied then.
   */
  append(bodies: readonly Uint8Array[], arrivedAt: number): Promise<readonly Outcome[]>;
  /** By index; those declared too, with no groups as long as none has arrived. */
  groupTypes(): Promise<readonly GroupType[]>;
  /** @throws NOT_FOUND for a group type the engine does not know, INPUT_INVALID for an impossible page. */
  groups(query: GroupsQuery): Promise<GroupPage>;
  /** @throws NOT_FOUND for a group type the engine does not know, INPUT_INVALID for an unreadable date or too many points. */
  trends(query: TrendsQuery): Promise<Trends>;
  /** Finishes what was asked before, writes the log into the file, and closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the engine's file.
 * @throws ENGINE_UNAVAILABLE (retryable) if another process holds it, INPUT_INVALID if it is no database of ours,
 * CONFIG_INVALID if the types stored in it leave no room for those declared.
 */
export async function openEngine({
  path,
  memoryLimitMb = DEFAULT_MEMORY_LIMIT_MB,
  groupTypes = [],
  logger,
}: EngineOptions): Promise<Engine> {
  requireDirectory(path);
  const letGo = hold(path);
  const client = createWorkerClient({ path, memoryLimitMb, groupTypes }, logger);
  const close = () => client.close().finally(letGo);
  const engine: Engine = {
    append: async (bodies, arrivedAt) => (bodies.length === 0 ? [] : client.ask("append", pack(bodies, arrivedAt))),
    groupTypes: () => client.ask("groupTypes", null),
    groups: (query) => client.ask("groups", query),
    trends: (query) => client.ask("trends", query),
    close,
  };
  // The worker opens the file at the first question: ask one, so that what is wrong with it shows now.
  await engine.groupTypes().catch(async (thrown: unknown) => {
    await close();
    throw thrown;
  });
  return engine;
}

function requireDirectory(path: string): void {
  if (path === ":memory:") return;
  const directory = dirname(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new PrickleError("ENGINE_UNAVAILABLE", `${directory}: there is no such directory for the engine's file`, {
    hint: "Create it, or name another data directory in prickle.yaml.",
  });
}

/** DuckDB locks a file against other processes only; two instances in one process would destroy it. */
const held = new Set<string>();

/** Gives the function that lets go. */
function hold(path: string): () => void {
  if (path === ":memory:") return () => undefined;
  const file = resolve(path);
  if (held.has(file)) throw lockedFailure(path);
  held.add(file);
  return () => held.delete(file);
}

/** One buffer that is handed over to the worker, not copied again. */
function pack(bodies: readonly Uint8Array[], arrivedAt: number): PackedBatch {
  const ends = new Uint32Array(bodies.length);
  let size = 0;
  for (const [index, body] of bodies.entries()) ends[index] = size += body.byteLength;
  const bytes = new Uint8Array(size);
  for (const [index, body] of bodies.entries()) bytes.set(body, (ends[index] ?? 0) - body.byteLength);
  return { bytes, ends, arrivedAt };
}
