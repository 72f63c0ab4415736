/** The engine's store: appends batches and answers questions, one after the other. Lives in the worker. */

import type { GroupPage, GroupsQuery, GroupType, Trends, TrendsQuery } from "../core/analytics.ts";
import { DELIVERED, type Outcome } from "../core/destination.ts";
import { appendEvents } from "./append-events.ts";
import { applyGroupChanges } from "./append-groups.ts";
import { type Database, inTransaction, openDatabase } from "./database.ts";
import { decode, type EventRow } from "./decode.ts";
import { type GroupSlots, reserveSlots, usedSlots } from "./group-slots.ts";
import { listGroups, listGroupTypes } from "./list-groups.ts";
import type { PackedBatch, StoreOptions } from "./protocol.ts";
import { queryTrends } from "./trends.ts";

export interface Store {
  /** All batches in one transaction; the outcomes of each. */
  append(batches: readonly PackedBatch[]): Promise<readonly (readonly Outcome[])[]>;
  groupTypes(): Promise<readonly GroupType[]>;
  groups(query: GroupsQuery): Promise<GroupPage>;
  trends(query: TrendsQuery): Promise<Trends>;
  close(): Promise<void>;
}

/** @throws ENGINE_UNAVAILABLE, INPUT_INVALID, CONFIG_INVALID. What DuckDB throws later comes through as it is. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = await openDatabase(options);
  const { connection } = database;
  const loaded = await loadSlots(database);
  let stored = loaded.length;
  let slots = await reserveOrClose(database, loaded, options);

  async function append(batches: readonly PackedBatch[]) {
    const decoded = decodeAll(batches, slots);
    const used = Math.max(stored, usedSlots(decoded.rows));
    await inTransaction(connection, async () => {
      await storeSlots(database, decoded.slots.slice(0, used), stored);
      const added = await appendEvents(connection, decoded.rows);
      await applyGroupChanges(
        connection,
        added.flatMap(({ change }) => change ?? []),
      );
    });
    stored = used;
    slots = decoded.slots;
    return decoded.outcomes;
  }

  return {
    append,
    groupTypes: () => listGroupTypes(connection, slots),
    groups: (query) => listGroups(connection, slots, query),
    trends: (query) => queryTrends(connection, slots, query),
    close: () => database.close(),
  };
}

async function reserveOrClose(database: Database, stored: GroupSlots, options: StoreOptions): Promise<GroupSlots> {
  try {
    return reserveSlots(stored, options);
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

async function loadSlots({ connection }: Database): Promise<GroupSlots> {
  const rows = await connection.runAndReadAll("SELECT group_type FROM group_types ORDER BY group_index");
  return rows.getRowsJS().map(([groupType]) => String(groupType));
}

async function storeSlots({ connection }: Database, slots: GroupSlots, stored: number): Promise<void> {
  for (let index = stored; index < slots.length; index++) {
    await connection.run("INSERT INTO group_types VALUES ($index, $groupType)", {
      index,
      groupType: slots[index] ?? null,
    });
  }
}

interface DecodedBatches {
  readonly rows: readonly EventRow[];
  readonly outcomes: readonly (readonly Outcome[])[];
  readonly slots: GroupSlots;
}

function decodeAll(batches: readonly PackedBatch[], known: GroupSlots): DecodedBatches {
  const rows: EventRow[] = [];
  let slots = known;
  const outcomes = batches.map(({ bytes, ends, arrivedAt }) => {
    const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    return Array.from(ends, (end): Outcome => {
      const decoded = decode(texts.toString("utf8", start, end), arrivedAt, slots);
      start = end;
      if ("problem" in decoded) return { kind: "dead", reason: `engine: ${decoded.problem}`, code: decoded.code };
      slots = decoded.slots;
      rows.push(decoded.row);
      return decoded.idProblem === null ? DELIVERED : withoutGroups(decoded.idProblem);
    });
  });
  return { rows, outcomes, slots };
}

function withoutGroups(problem: string): Outcome {
  return { kind: "delivered", code: "person_processing_disabled", note: `engine: ${problem}` };
}
