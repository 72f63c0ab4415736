/** The ledger's tables behind one request–reply function: what the worker runs. Everything here is synchronous. */

import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { createAttribution } from "../../core/attribution/attribute.ts";
import { refreshed } from "../../core/attribution/refreshed.ts";
import { createCarryOut, type Done, type Tables } from "./carry-out.ts";
import { createClaims } from "./claim.ts";
import { createCommitGroup } from "./commit.ts";
import { createCounters } from "./counters.ts";
import { createDeadLetters } from "./dead-letters/dead-letters.ts";
import { asLedgerError } from "./failures.ts";
import { readHeldGroups } from "./knowledge/held-groups.ts";
import { createStoredKnowledge } from "./knowledge/knowledge.ts";
import { readGroup, readKeys } from "./knowledge/report.ts";
import { createKnownGroupsTable } from "./known-groups-table.ts";
import { createLeases } from "./leases.ts";
import { createApplyNotes } from "./notes.ts";
import { moveTableToLog, readLog } from "./open-log.ts";
import { createOutbox } from "./outbox.ts";
import { createPassages } from "./passages.ts";
import { createPositions } from "./positions.ts";
import type { DeadLetterSlice, Reply, Request, Requests, StoreOptions } from "./protocol.ts";
import { createRehearsals } from "./rehearsals.ts";
import { createRejections } from "./rejections.ts";
import { createReleased } from "./released.ts";
import { createRepairs } from "./repairs.ts";
import { createRowsTable } from "./rows.ts";
import { createRunsTable } from "./runs.ts";
import { createPutLogEnd, FILE_NAME, isWithoutLog, lanesOf, openDatabase, sizeBytesOf } from "./schema.ts";
import { createSeen } from "./seen.ts";
import { openSegments, type Segments } from "./segments.ts";
import { createSettleClaim } from "./settle.ts";
import { readStatus } from "./status.ts";
import { type Journal, openJournal } from "./trace/journal.ts";
import { readStandings } from "./trace/standings.ts";

export interface Store {
  readonly lanes: number;
  /**
   * Carries out what was asked: all that writes in one transaction and one flush, in order, then what reads. If that
   * transaction fails each is tried in one of its own, so that what makes room, or is sound, still goes through.
   * @throws only when a flush failed: nobody knows then what is on disk.
   */
  carryOut(requests: readonly Request[]): readonly Reply[];
  close(): void;
}

const DAY_MS = 86_400_000;

/** @throws LEDGER_LOCKED, LEDGER_TOO_NEW, LEDGER_FULL, LEDGER_UNAVAILABLE */
export function openStore(options: StoreOptions): Store {
  const path = join(options.directory, FILE_NAME);
  const database = openDatabase(path, options.lanes);
  const segments = openSegments(options.directory, options.segmentBytes);
  const { directory, traceBytes = 0, traceDays = 0 } = options;
  const journal = openJournal(directory, { maxBytes: traceBytes, maxDays: traceDays });
  const close = () => {
    journal.close();
    segments.close();
    database.close();
  };
  try {
    const tables = openTables(database, { segments, journal }, options);
    return { lanes: lanesOf(database), carryOut: createCarryOut(database, tables, path), close };
  } catch (thrown) {
    close();
    throw asLedgerError(thrown, path);
  }
}

/** Opens the log and what is kept beside it, and brings the tables up to what the log says. */
function openTables(
  database: DatabaseSync,
  { segments, journal }: { readonly segments: Segments; readonly journal: Journal },
  options: StoreOptions,
): Tables {
  const lanes = lanesOf(database);
  const outbox = createOutbox(segments, lanes);
  const counters = createCounters(database);
  const seen = createSeen(database, options.seenDays);
  const rejections = createRejections(database);
  if (isWithoutLog(database)) for (const { start } of [...segments.list()]) segments.release(start);
  const released = createReleased(database, segments.list().at(-1)?.start ?? 0);
  const unknown = readLog(segments, outbox, { database, released });
  database.exec("BEGIN IMMEDIATE");
  moveTableToLog(database, outbox);
  const positions = createPositions(database, outbox, { lanes, destinations: options.destinations });
  const knowledge = createStoredKnowledge(database);
  const refresh = (json: string) => refreshed(json, knowledge, options.groupRules);
  const groupTypes = [...new Set(Object.values(options.groupRules).flatMap((rules) => rules.groupTypes))];
  const deadLetters = createDeadLetters(database, { outbox, positions, journal, groupTypes, refresh, knowledge });
  const leases = createLeases();
  const knownGroups = createKnownGroupsTable(database);
  const rows = createRowsTable(database);
  const runs = createRunsTable(database);
  const applyNotes = createApplyNotes({ database, rejections, counters, deadLetters, knownGroups, rows });
  const attribute = createAttribution({ knowledge, rules: options.groupRules, lanes });
  for (const { ids, notes, runs } of unknown) {
    seen.add(Buffer.from(ids), runs[0]?.committedAt ?? 0);
    applyNotes(notes);
    for (const change of notes.changes ?? []) knowledge.redo(change);
  }
  knowledge.flush();
  counters.flush();
  createPutLogEnd(database)(outbox.end);
  database.exec("COMMIT");

  const rehearsals = createRehearsals({ base: knowledge, rules: options.groupRules, lanes, isSeen: seen.has });
  const passages = createPassages(database, positions);
  const reports = { knowledge, rules: options.groupRules, positions, passages };
  const queues = { outbox, passages, positions, deadLetters, leases };
  const parts = { ...queues, database, counters, seen, rejections, knowledge, journal };
  const held = { groups: knowledge.groups, rules: options.groupRules, lanes, passages };
  const commitGroup = createCommitGroup({ ...parts, applyNotes, attribute, maxDepth: options.maxDepth });
  const repair = createRepairs({ ...parts, rules: options.groupRules, maxDepth: options.maxDepth });
  const claims = createClaims(parts);
  const settleClaim = createSettleClaim(parts);
  const cursorOf = database.prepare("SELECT cursor FROM checkpoints WHERE name = ?");

  function expire(asks: Requests["expireDeadLetters"]["asks"], now: number): DeadLetterSlice {
    const { deadLetterDays: days = null } = options;
    if (days === null) return { count: 0, after: null, upTo: 0 };
    const slice = deadLetters.forget({ ...asks, filter: { diedBefore: now - days * DAY_MS } }, "expired", now);
    counters.add("expired", slice.count);
    return slice;
  }

  function apply(request: Request): Done {
    const { now } = request;
    switch (request.kind) {
      case "commit":
        return { gives: { replies: commitGroup(request.asks.bytes, now), bytes: request.asks.bytes } };
      case "settle": {
        const { memory } = request.asks;
        const lease = settleClaim(request.asks, now);
        const afterwards = () => {
          if (lease) leases.release(lease);
          if (memory) claims.reuse(memory);
        };
        return { gives: lease !== null, afterwards };
      }
      case "claim":
        return { gives: claims.take(request.asks, now) };
      case "checkpoint":
        return { gives: textOf(cursorOf.get(request.asks)?.cursor) };
      case "groups":
        return { gives: knownGroups.list(request.asks) };
      case "group":
        return { gives: readGroup(request.asks, now, reports) };
      case "heldGroups":
        return { gives: readHeldGroups(request.asks, held) };
      case "repairGroups":
        return { gives: repair(request.asks, now) };
      case "keys":
        return { gives: readKeys(request.asks.limit, knowledge) };
      case "beginRehearsal":
        return { gives: rehearsals.begin(now) };
      case "rehearse":
        return { gives: rehearsals.add(request.asks.rehearsal, request.asks.bytes) };
      case "rehearsalSummary":
        return { gives: rehearsals.summary(request.asks) };
      case "endRehearsal":
        rehearsals.end(request.asks);
        return { gives: null };
      case "rows":
        return { gives: rows.list(request.asks) };
      case "unseenRows":
        return { gives: rows.unseen(request.asks) };
      case "countRows":
        return { gives: rows.count(request.asks) };
      case "putRun":
        runs.put(request.asks);
        return { gives: null };
      case "runs":
        return { gives: runs.list(request.asks) };
      case "status":
        return {
          gives: readStatus({
            ...parts,
            sizeBytes: () => sizeBytesOf(database) + outbox.sizeBytes() + journal.sizeBytes(),
          }),
        };
      case "listDeadLetters":
        return { gives: deadLetters.list(request.asks) };
      case "countDeadLetters":
        return { gives: deadLetters.slice(request.asks) };
      case "replayDeadLetters":
        return { gives: deadLetters.replay(request.asks, now) };
      case "dropDeadLetters":
        return { gives: deadLetters.forget(request.asks, "dropped", now) };
      case "expireDeadLetters":
        return { gives: expire(request.asks, now) };
      case "replayEdited":
        return { gives: deadLetters.replayEdited(request.asks, now) };
      case "listRejections":
        return { gives: rejections.list(request.asks.limit) };
      case "traceFiles":
        return { gives: journal.isOn ? journal.files() : null };
      case "traceStandings": {
        const sources = [...new Set([...request.asks.sources, ...Object.keys(options.groupRules)])];
        return { gives: readStandings({ ...request.asks, sources }, now, parts) };
      }
      case "pruneSeen":
        return { gives: seen.pruneSlice(request.asks, now) };
      case "pruneRejections":
        rejections.prune(now);
        passages.prune(now);
        journal.prune(now);
        runs.prune();
        return { gives: null };
      case "open":
        return { gives: { lanes: positions.lanes } };
      case "close":
        return { gives: null };
    }
  }

  return { apply, outbox, released, positions, counters, knowledge, journal };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
