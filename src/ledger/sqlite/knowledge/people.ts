/** Memberships, and whose ids are whose. */

import type { DatabaseSync } from "node:sqlite";
import {
  type Change,
  compareMemberships,
  type Knowledge,
  type Membership,
  MOST_IDS,
  type Owner,
} from "../../../core/attribution/knowledge.ts";
import { createCache } from "./cache.ts";

const CACHED = 50_000;

export interface People extends Pick<Knowledge, "membership" | "firstMembership" | "owners" | "hasOwn" | "idsOf"> {
  /** False: it was known. */
  addMembership(change: Extract<Change, { kind: "membership" }>): boolean;
  addOwner(change: Extract<Change, { kind: "owner" }>): boolean;
  /** Everybody who ever joined the group, at most `limit`, in order. */
  membersOf(groupType: string, groupKey: string, limit: number): readonly string[];
  /** ms UTC; 0: never. */
  lastJoinOf(id: string, groupType: string, groupKey: string): number;
  /** The transaction was rolled back. */
  takeBack(): void;
}

export function createPeople(database: DatabaseSync): People {
  const insert = database.prepare("INSERT INTO memberships VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const newestOf = database.prepare(
    "SELECT at, joins, group_key FROM memberships WHERE id = ? AND group_type = ? ORDER BY at DESC, joins DESC, group_key DESC LIMIT 1",
  );
  const newestAt = database.prepare(
    `SELECT at, joins, group_key FROM memberships WHERE id = ? AND group_type = ? AND at <= ?
     ORDER BY at DESC, joins DESC, group_key DESC LIMIT 1`,
  );
  const newestBefore = database.prepare(
    `SELECT at, joins, group_key FROM memberships WHERE id = ? AND group_type = ? AND (at, joins, group_key) < (?, ?, ?)
     ORDER BY at DESC, joins DESC, group_key DESC LIMIT 1`,
  );
  const first = database.prepare(
    "SELECT at, joins, group_key FROM memberships WHERE id = ? AND group_type = ? AND joins = 1 ORDER BY at, group_key LIMIT 1",
  );
  const insertMember = database.prepare("INSERT INTO members VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const members = database.prepare("SELECT id FROM members WHERE group_type = ? AND group_key = ? ORDER BY id LIMIT ?");
  const lastJoin = database.prepare(
    "SELECT max(at) AS at FROM memberships WHERE id = ? AND group_type = ? AND group_key = ? AND joins = 1",
  );
  const insertOwn = database.prepare("INSERT INTO own_members VALUES (?) ON CONFLICT DO NOTHING");
  const ownOf = database.prepare("SELECT 1 FROM own_members WHERE id = ?");
  const insertOwner = database.prepare("INSERT INTO owners VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const ownersOf = database.prepare("SELECT at, owner FROM owners WHERE id = ? ORDER BY at, owner");
  const insertOwned = database.prepare("INSERT INTO owned VALUES (?, ?) ON CONFLICT DO NOTHING");
  const ownedBy = database.prepare("SELECT id FROM owned WHERE owner = ? ORDER BY id LIMIT ?");

  /** The newest membership of all; null: there is none. */
  const newest = createCache<Membership | null>(CACHED);
  const owners = createCache<readonly Owner[]>(CACHED);
  const owned = createCache<readonly string[]>(CACHED);
  const own = createCache<boolean>(CACHED);

  function newestMembership(id: string, groupType: string): Membership | null {
    const key = `${id}\0${groupType}`;
    const cached = newest.get(key);
    if (cached !== undefined) return cached;
    const found = membershipIn(newestOf.get(id, groupType));
    newest.set(key, found);
    return found;
  }

  function ownersKnown(id: string): readonly Owner[] {
    const cached = owners.get(id);
    if (cached) return cached;
    const found = ownersOf.all(id).map((row) => ({ id: String(row.owner), at: Number(row.at) }));
    owners.set(id, found);
    return found;
  }

  function addOwned(owner: string, id: string): void {
    insertOwned.run(owner, id);
    owned.delete(owner);
  }

  function hasOwn(id: string): boolean {
    const cached = own.get(id);
    if (cached !== undefined) return cached;
    const found = ownOf.get(id) !== undefined;
    own.set(id, found);
    return found;
  }

  /** False: it was so before. */
  function becomeOwn(id: string): boolean {
    if (hasOwn(id)) return false;
    insertOwn.run(id);
    own.set(id, true);
    for (const owner of ownersKnown(id)) addOwned(owner.id, id);
    return true;
  }

  return {
    membership(id, groupType, from) {
      if (typeof from !== "number") {
        const { at, joins, groupKey } = from;
        return membershipIn(newestBefore.get(id, groupType, at, joins ? 1 : 0, groupKey));
      }
      const last = newestMembership(id, groupType);
      if (last === null || last.at <= from) return last;
      return membershipIn(newestAt.get(id, groupType, from));
    },
    firstMembership: (id, groupType) => membershipIn(first.get(id, groupType)),
    owners: ownersKnown,
    hasOwn,
    idsOf(owner) {
      const cached = owned.get(owner);
      if (cached) return cached;
      const found = ownedBy.all(owner, MOST_IDS).map((row) => String(row.id));
      owned.set(owner, found);
      return found;
    },
    addMembership({ id, groupType, membership, isOwn }) {
      const last = newestMembership(id, groupType);
      const { at, joins, groupKey } = membership;
      const isNewOwn = isOwn && becomeOwn(id);
      if (last && compareMemberships(last, membership) === 0) return isNewOwn;
      if (insert.run(id, groupType, at, joins ? 1 : 0, groupKey).changes === 0) return isNewOwn;
      if (joins && last?.groupKey !== groupKey) insertMember.run(groupType, groupKey, id);
      if (!last || compareMemberships(membership, last) < 0) newest.set(`${id}\0${groupType}`, membership);
      return true;
    },
    addOwner({ id, owner }) {
      if (ownersKnown(id).some((known) => known.id === owner.id && known.at === owner.at)) return false;
      insertOwner.run(id, owner.at, owner.id);
      owners.delete(id);
      if (hasOwn(id)) addOwned(owner.id, id);
      return true;
    },
    membersOf: (groupType, groupKey, limit) => members.all(groupType, groupKey, limit).map((row) => String(row.id)),
    lastJoinOf: (id, groupType, groupKey) => Number(lastJoin.get(id, groupType, groupKey)?.at ?? 0),
    takeBack() {
      for (const cache of [newest, owners, owned, own]) cache.clear();
    },
  };
}

function membershipIn(row: Record<string, unknown> | undefined): Membership | null {
  return row ? { at: Number(row.at), joins: row.joins === 1, groupKey: String(row.group_key) } : null;
}
