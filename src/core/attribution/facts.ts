/**
 * What goes with records to the ledger so that they can be attributed there: as JSON text, since most of it is text.
 *
 * statements: [["m", at, group type, group key, joins, ids] | ["o", at, id, earlier id], …], of a parcel as a whole
 * of an event: [at, ids, group types it has]; of a group identify: an object
 */

import type { GroupIdentifyDraft, Statement } from "../message.ts";
import type { SourceRecord } from "../record.ts";
import type { Change, Identify } from "./knowledge.ts";

export interface EventFacts {
  /** ms UTC. */
  readonly at: number;
  /** Of the person, the one that counts most first. */
  readonly ids: readonly string[];
  readonly has: readonly string[];
}

export function writeEventFacts({ at, ids, has }: EventFacts): string {
  return JSON.stringify([at, ids, has]);
}

/** Null: these are those of a group identify. */
export function readEventFacts(text: string): EventFacts | null {
  if (!text.startsWith("[")) return null;
  const [at, ids, has] = JSON.parse(text);
  return { at, ids, has };
}

export function writeIdentifyFacts(draft: GroupIdentifyDraft, { id, occurredAt, receivedAt }: SourceRecord): string {
  const { groupType, groupKey, properties, keys } = draft;
  return JSON.stringify({ groupType, groupKey, properties, ...keys, at: occurredAt, receivedAt, recordId: id });
}

export function readIdentifyFacts(text: string, source: string, uuid: string): Identify {
  return { aliases: [], mergedAliases: [], fallbackKey: null, ...JSON.parse(text), source, uuid };
}

export function writeStatements(statements: readonly (Statement & { readonly at: number })[]): string {
  return JSON.stringify(
    statements.map((statement) =>
      statement.kind === "membership"
        ? ["m", statement.at, statement.groupType, statement.groupKey, statement.joins, statement.ids]
        : ["o", statement.at, statement.id, statement.earlierId],
    ),
  );
}

/** The changes to what is known that statements amount to. */
export function readStatements(text: string): readonly Change[] {
  const statements: (["m", number, string, string, boolean, string[]] | ["o", number, string, string])[] =
    JSON.parse(text);
  return statements.flatMap((statement): readonly Change[] => {
    if (statement[0] === "o") {
      const [, at, id, earlierId] = statement;
      return [{ kind: "owner", id: earlierId, owner: { id, at } }];
    }
    const [, at, groupType, groupKey, joins, ids] = statement;
    const membership = { at, joins, groupKey };
    return ids.map((id, index) => ({ kind: "membership", id, groupType, membership, isOwn: index === 0 }));
  });
}
