/** Group knowledge in the ledger's tables. What changes it is also kept for the log, which may have to tell the tables again. */

import type { DatabaseSync } from "node:sqlite";
import type { Change, Knowledge } from "../../../core/attribution/knowledge.ts";
import { createGroups, type Groups } from "./groups.ts";
import { createKeys, type Keys } from "./keys.ts";
import { createPeople, type People } from "./people.ts";

export interface StoredKnowledge extends Knowledge {
  readonly people: People;
  readonly groups: Groups;
  readonly keys: Keys;
  /** Makes a change the log has already. */
  redo(change: Change): void;
  /** Changes made by `apply` since the last time. */
  takeChanges(): readonly Change[];
  /** Before the transaction is committed. */
  flush(): void;
  /** It was rolled back. */
  takeBack(): void;
}

export function createStoredKnowledge(database: DatabaseSync): StoredKnowledge {
  const people = createPeople(database);
  const groups = createGroups(database);
  const keys = createKeys(database);
  let changes: Change[] = [];

  /** False: it was known. */
  function make(change: Change): boolean {
    switch (change.kind) {
      case "membership":
        return people.addMembership(change);
      case "owner":
        return people.addOwner(change);
      case "group":
        groups.change(change);
        return true;
      case "resent":
        groups.resent(change);
        return true;
      default:
        keys.apply(change);
        return true;
    }
  }

  const takeChanges = () => {
    const taken = changes;
    changes = [];
    return taken;
  };
  return {
    people,
    groups,
    keys,
    membership: people.membership,
    firstMembership: people.firstMembership,
    owner: people.owner,
    hasMemberships: people.hasMemberships,
    idsOf: people.idsOf,
    group: groups.group,
    typeSharing: groups.typeSharing,
    alias: keys.alias,
    parked: keys.parked,
    apply(change) {
      if (make(change)) changes.push(change);
    },
    redo: (change) => void make(change),
    takeChanges,
    flush: groups.flush,
    takeBack() {
      takeChanges();
      people.takeBack();
      groups.takeBack();
    },
  };
}
