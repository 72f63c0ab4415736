/** How far each destination is in each lane: in memory, and in the positions table for the next start. */

import type { DatabaseSync } from "node:sqlite";
import { SERVICES } from "../../core/service.ts";
import type { Outbox, RunHead } from "./outbox.ts";

export interface Position {
  /** Seq of the first message not settled. */
  next: number;
  /** The lane waits until then, ms UTC. */
  notBefore: number;
  lastFailure: string | null;
  /** Messages at or after `next` that were settled before an earlier one. */
  readonly settledAhead: Set<number>;
  /** Messages at or after `next` that were tried in vain. */
  readonly failed: Map<number, Failures>;
  /** Messages waiting. */
  depth: number;
}

export interface Failures {
  readonly attempts: number;
  readonly firstAttemptAt: number;
}

export interface Positions {
  /** Of each service. */
  readonly lanes: number;
  readonly destinations: readonly string[];
  /** @throws when the destination is none of the ledger's: a mistake of the caller. */
  of(destination: string, lane: number): Position;
  /** Seq of the first message that waits for the destination; infinite: none does. */
  waitsFrom(destination: string, lane: number): number;
  /** Seq the next message of the lane gets. */
  nextSeq(lane: number): number;
  /** Notes that a run was appended at `nextSeq`. */
  appended(run: RunHead): void;
  /** Writes down a position after it moved. */
  moved(destination: string, lane: number): void;
  depthOf(destination: string): number;
  /** Of the destination that waits for most. */
  depth(): number;
  /** The transaction is done: what all destinations are past is let go of. */
  settled(): void;
  /** The transaction was rolled back. One that did nothing but append needs no look at all that waits. */
  takeBack(transaction: { readonly onlyAppended: boolean }): void;
}

export function createPositions(
  database: DatabaseSync,
  outbox: Outbox,
  { lanes, destinations }: { readonly lanes: number; readonly destinations: readonly string[] },
): Positions {
  const select = database.prepare("SELECT destination, lane, next_seq, not_before, last_failure, ahead FROM positions");
  const upsert = database.prepare(
    `INSERT INTO positions (destination, lane, next_seq, not_before, last_failure, ahead) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET next_seq = excluded.next_seq, not_before = excluded.not_before,
       last_failure = excluded.last_failure, ahead = excluded.ahead`,
  );
  const allLanes = SERVICES.length * lanes;
  let nextSeqs: number[] = [];
  let positions = new Map<string, Position[]>();
  /** Of destinations of which it was asked since something moved. */
  const depths = new Map<string, number>();
  /** Since the transaction began: runs appended, lanes in which something moved. */
  let appends: RunHead[] = [];
  const movedLanes = new Set<number>();

  function load(): void {
    nextSeqs = new Array<number>(allLanes).fill(0);
    positions = new Map(destinations.map((name) => [name, Array.from({ length: allLanes }, freshPosition)]));
    for (const row of select.all()) {
      const lane = Number(row.lane);
      const next = Number(row.next_seq);
      nextSeqs[lane] = Math.max(nextSeqs[lane] ?? 0, next);
      const position = positions.get(String(row.destination))?.[lane];
      if (!position) continue;
      position.next = next;
      position.notBefore = Number(row.not_before);
      position.lastFailure = typeof row.last_failure === "string" ? row.last_failure : null;
      if (typeof row.ahead === "string") readAhead(row.ahead, position);
    }
    for (let lane = 0; lane < allLanes; lane++) {
      for (const run of outbox.headsFrom(lane, 0)) count(run);
      forgetSettled(lane);
    }
    depths.clear();
  }

  function count(run: RunHead): void {
    const end = run.firstSeq + run.count;
    nextSeqs[run.lane] = Math.max(nextSeqs[run.lane] ?? 0, end);
    for (const [name, all] of positions) {
      const position = all[run.lane];
      if (!position || (run.onlyDestination !== null && run.onlyDestination !== name)) continue;
      position.depth += Math.max(0, end - Math.max(run.firstSeq, position.next));
      for (const seq of position.settledAhead) if (seq >= run.firstSeq && seq < end) position.depth -= 1;
    }
  }

  function deepen({ lane, onlyDestination }: RunHead, messages: number): void {
    for (const name of destinations) {
      if (onlyDestination !== null && onlyDestination !== name) continue;
      of(name, lane).depth += messages;
      const known = depths.get(name);
      if (known !== undefined) depths.set(name, known + messages);
    }
  }

  function depthOf(destination: string): number {
    const known = depths.get(destination);
    if (known !== undefined) return known;
    let depth = 0;
    for (const position of positions.get(destination) ?? []) depth += position.depth;
    depths.set(destination, depth);
    return depth;
  }

  const of = (destination: string, lane: number): Position => {
    const position = positions.get(destination)?.[lane];
    if (!position) throw new TypeError(`no destination "${destination}" with lane ${lane} was opened`);
    return position;
  };
  const nextSeq = (lane: number) => nextSeqs[lane] ?? 0;

  function forgetSettled(lane: number): void {
    // Who waits for nothing here is past everything, also past what was replayed for others.
    const behind = destinations.map((name) => of(name, lane)).filter(({ depth }) => depth > 0);
    outbox.forgetBefore(lane, Math.min(nextSeq(lane), ...behind.map(({ next }) => next)));
  }

  function waitsFrom(destination: string, lane: number): number {
    const { next, depth } = of(destination, lane);
    if (depth === 0) return Number.POSITIVE_INFINITY;
    for (const { firstSeq, onlyDestination } of outbox.headsFrom(lane, next)) {
      if (onlyDestination === null || onlyDestination === destination) return Math.max(firstSeq, next);
    }
    return Number.POSITIVE_INFINITY;
  }

  load();
  return {
    lanes,
    destinations,
    of,
    waitsFrom,
    nextSeq,
    appended(run) {
      appends.push(run);
      nextSeqs[run.lane] = run.firstSeq + run.count;
      deepen(run, run.count);
    },
    settled() {
      for (const lane of movedLanes) forgetSettled(lane);
      movedLanes.clear();
      appends = [];
    },
    takeBack({ onlyAppended }) {
      for (const run of appends.reverse()) {
        nextSeqs[run.lane] = run.firstSeq;
        deepen(run, -run.count);
      }
      movedLanes.clear();
      appends = [];
      if (!onlyAppended) load();
    },
    moved(destination, lane) {
      const position = of(destination, lane);
      upsert.run(destination, lane, position.next, position.notBefore, position.lastFailure, writeAhead(position));
      depths.delete(destination);
      movedLanes.add(lane);
    },
    depthOf,
    depth: () => Math.max(0, ...destinations.map(depthOf)),
  };
}

function freshPosition(): Position {
  return { next: 0, notBefore: 0, lastFailure: null, settledAhead: new Set(), failed: new Map(), depth: 0 };
}

/** `{"settled":[seq,…],"failed":[[seq,attempts,firstAttemptAt],…]}`; null when there is nothing to say, as usual. */
function writeAhead({ settledAhead, failed }: Position): string | null {
  if (settledAhead.size === 0 && failed.size === 0) return null;
  return JSON.stringify({
    settled: [...settledAhead],
    failed: [...failed].map(([seq, { attempts, firstAttemptAt }]) => [seq, attempts, firstAttemptAt]),
  });
}

function readAhead(text: string, { settledAhead, failed }: Position): void {
  const ahead: { settled: number[]; failed: [number, number, number][] } = JSON.parse(text);
  for (const seq of ahead.settled) settledAhead.add(seq);
  for (const [seq, attempts, firstAttemptAt] of ahead.failed) failed.set(seq, { attempts, firstAttemptAt });
}
