/** Group knowledge in memory and on a real file, with the same handles. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Change, Knowledge } from "../../src/core/attribution/knowledge.ts";
import { createMemoryKnowledge } from "../../src/core/attribution/memory-knowledge.ts";
import { createStoredKnowledge, type StoredKnowledge } from "../../src/ledger/sqlite/knowledge/knowledge.ts";
import { openDatabase } from "../../src/ledger/sqlite/schema.ts";
import type { KnowledgeStore } from "../contracts/knowledge.ts";

/** Has no memory of its own: what is taken back is everything else, told again. */
export function memoryStore(): KnowledgeStore {
  let knowledge = createMemoryKnowledge();
  let kept: readonly Change[] = [];
  let fresh: Change[] = [];
  const takeBack = () => {
    knowledge = createMemoryKnowledge();
    for (const change of kept) knowledge.apply(change);
    fresh = [];
  };
  return {
    get knowledge() {
      return knowledge;
    },
    apply(change) {
      fresh.push(change);
      knowledge.apply(change);
    },
    collisions: () => knowledge.collisions(),
    commit() {
      kept = [...kept, ...fresh];
      fresh = [];
    },
    takeBack,
    reopen: takeBack,
    close() {},
  };
}

export interface SqliteStore extends KnowledgeStore {
  readonly knowledge: StoredKnowledge;
  /** What the log was told, from the first commit on. */
  readonly logged: readonly Change[];
}

export function sqliteStore(): SqliteStore {
  const directory = mkdtempSync(join(tmpdir(), "prickle-knowledge-"));
  const logged: Change[] = [];
  const open = () => {
    const database = openDatabase(join(directory, "ledger.sqlite"), 8);
    database.exec("BEGIN IMMEDIATE");
    return { database, knowledge: createStoredKnowledge(database) };
  };
  let { database, knowledge } = open();
  return {
    logged,
    get knowledge() {
      return knowledge;
    },
    apply: (change) => knowledge.apply(change),
    collisions: () => knowledge.keys.collisions(1000),
    commit() {
      logged.push(...knowledge.takeChanges());
      knowledge.flush();
      database.exec("COMMIT; BEGIN IMMEDIATE");
    },
    takeBack() {
      // As late as it can fail: what is to be written is in the tables by then.
      knowledge.flush();
      database.exec("ROLLBACK");
      knowledge.takeBack();
      database.exec("BEGIN IMMEDIATE");
    },
    reopen() {
      database.close();
      ({ database, knowledge } = open());
    },
    close() {
      database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Everything that can be asked about what the names stand for. */
export function observe(
  { knowledge, collisions }: Pick<KnowledgeStore, "knowledge" | "collisions">,
  { ids, groupTypes, groupKeys, aliases, until }: Names,
): unknown {
  const times = Array.from({ length: until + 2 }, (_, index) => index - 1);
  return {
    people: ids.map((id) => [knowledge.owner(id), knowledge.idsOf(id)]),
    memberships: ids.flatMap((id) =>
      groupTypes.map((groupType) => [
        knowledge.firstMembership(id, groupType),
        ...stepsOf(knowledge, id, groupType, times),
      ]),
    ),
    groups: groupTypes.flatMap((groupType) =>
      groupKeys.map((key) => [knowledge.group(groupType, key), knowledge.typeSharing(groupType, key)]),
    ),
    keys: groupTypes.flatMap((groupType) => [
      knowledge.parked(groupType, aliases),
      ...aliases.map((alias) => [knowledge.alias(groupType, alias), knowledge.parked(groupType, [alias])]),
    ]),
    collisions: collisions(),
  };
}

export interface Names {
  readonly ids: readonly string[];
  readonly groupTypes: readonly string[];
  readonly groupKeys: readonly string[];
  readonly aliases: readonly string[];
  /** The last time anything happens at, from 0. */
  readonly until: number;
}

function stepsOf({ membership }: Knowledge, id: string, groupType: string, times: readonly number[]) {
  return times.map((at) => {
    const newest = membership(id, groupType, at);
    return [newest, newest && membership(id, groupType, newest)];
  });
}
