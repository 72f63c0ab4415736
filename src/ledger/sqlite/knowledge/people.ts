/** Memberships, and whose ids are whose. */

import type { DatabaseSync } from "node:sqlite";
import {
  type Change,
  compareMemberships,
  compareOwners,
  type Knowledge,
  type Membership,
  MOST_IDS,
  type Owner,
} from "../../../core/attribution/knowledge.ts";
import { createCache } from "./cache.ts";

/** Each takes some 300 bytes. */
const CACHED = 20_000;

export interface People
  extends Pick<Knowledge, "membership" | "firstMembership" | "owner" | "hasMemberships" | "idsOf"> {
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

/** What is known of an id. */
interface Person {
  /** By group type, once it was asked for: the newest membership of all; null: there is none. */
  newest: Map<string, Membership | null> | null;
  /** The first of all. */
  owner: Owner | null;
  /** Null: not asked for yet. */
  owned: readonly string[] | null;
  /** Of the id, or of ids that are its. */
  hasMemberships: boolean;
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
  const insertOwner = database.prepare("INSERT INTO owners VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const load = database.prepare(
    `SELECT EXISTS (SELECT 1 FROM own_members WHERE id = ?1) AS has_memberships, first.at, first.owner FROM (SELECT 1)
     LEFT JOIN (SELECT at, owner FROM owners WHERE id = ?1 ORDER BY at, owner LIMIT 1) AS first`,
  );
  const ownersOf = database.prepare("SELECT DISTINCT owner FROM owners WHERE id = ?");
  const insertOwned = database.prepare("INSERT INTO owned VALUES (?, ?) ON CONFLICT DO NOTHING");
  const ownedBy = database.prepare("SELECT id FROM owned WHERE owner = ? ORDER BY id LIMIT ?");

  const people = createCache<Person>(CACHED);

  function personOf(id: string): Person {
    const cached = people.get(id);
    if (cached) return cached;
    const person = loaded(id);
    people.set(id, person);
    return person;
  }

  function loaded(id: string): Person {
    const row = load.get(id);
    return {
      newest: null,
      owner: typeof row?.owner === "string" ? { id: row.owner, at: Number(row.at) } : null,
      hasMemberships: row?.has_memberships === 1,
      owned: null,
    };
  }

  /** Of most ids one look says that there is nothing to be found. */
  function newestMembership(id: string, groupType: string): Membership | null {
    const person = personOf(id);
    if (!person.hasMemberships) return null;
    const cached = person.newest?.get(groupType);
    if (cached !== undefined) return cached;
    const found = membershipIn(newestOf.get(id, groupType));
    noteNewest(person, groupType, found);
    return found;
  }

  function noteNewest(person: Person, groupType: string, membership: Membership | null): void {
    person.newest ??= new Map();
    person.newest.set(groupType, membership);
  }

  const owner = (id: string) => personOf(id).owner;
  const hasMemberships = (id: string) => personOf(id).hasMemberships;

  function addOwned(ofOwner: string, id: string): void {
    insertOwned.run(ofOwner, id);
    personOf(ofOwner).owned = null;
  }

  /** So do all whose id it is. */
  function noteMemberships(first: string): void {
    const found = [first];
    for (const id of found) {
      if (hasMemberships(id)) continue;
      insertOwn.run(id);
      personOf(id).hasMemberships = true;
      for (const { owner: of } of ownersOf.all(id)) {
        addOwned(String(of), id);
        found.push(String(of));
      }
    }
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
    owner,
    hasMemberships,
    idsOf(of) {
      const person = personOf(of);
      if (!person.hasMemberships) return NO_IDS;
      person.owned ??= ownedBy.all(of, MOST_IDS).map((row) => String(row.id));
      return person.owned;
    },
    addMembership({ id, groupType, membership }) {
      const last = newestMembership(id, groupType);
      const { at, joins, groupKey } = membership;
      if (last && compareMemberships(last, membership) === 0) return false;
      if (insert.run(id, groupType, at, joins ? 1 : 0, groupKey).changes === 0) return false;
      noteMemberships(id);
      const isNewestMember = last?.joins === true && last.groupKey === groupKey;
      if (joins && !isNewestMember) insertMember.run(groupType, groupKey, id);
      if (!last || compareMemberships(membership, last) < 0) noteNewest(personOf(id), groupType, membership);
      return true;
    },
    addOwner({ id, owner: said }) {
      // Many an id is claimed once and never heard of again: it is not kept in memory for that.
      const person = people.get(id) ?? loaded(id);
      const first = person.owner;
      // What the first to claim an id says again changes nothing.
      if (first && first.id === said.id && first.at <= said.at) return false;
      if (insertOwner.run(id, said.at, said.id).changes === 0) return false;
      if (!first || compareOwners(said, first) < 0) person.owner = said;
      if (person.hasMemberships) {
        addOwned(said.id, id);
        noteMemberships(said.id);
      }
      return true;
    },
    membersOf: (groupType, groupKey, limit) => members.all(groupType, groupKey, limit).map((row) => String(row.id)),
    lastJoinOf: (id, groupType, groupKey) => Number(lastJoin.get(id, groupType, groupKey)?.at ?? 0),
    takeBack: people.clear,
  };
}

const NO_IDS: readonly string[] = [];

function membershipIn(row: Record<string, unknown> | undefined): Membership | null {
  return row ? { at: Number(row.at), joins: row.joins === 1, groupKey: String(row.group_key) } : null;
}
