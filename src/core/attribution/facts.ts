/**
 * What goes with records to the ledger so that they can be attributed there: as JSON text, since most of it is text.
 *
 * statements: [["m", at, group type, group key, joins, ids] | ["o", at, id, earlier id], …], of a parcel as a whole
 * of an event: [at, ids, group types it has]; of a group identify: an object
 *
 * Ids that PostHog reserves (`null`, `anonymous`, …) are those of many people: they are left out, and say nothing.
 */

import { distinctIdProblem } from "../group.ts";
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
  return JSON.stringify([at, ids.filter(isSomebodys), has]);
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

/**
 * The changes to what is known that statements amount to. A membership is that of the id named first, and the others are
 * ids of the same person: were it theirs too, whoever owns a shared device would get the groups of all who use it.
 */
export function readStatements(text: string): readonly Change[] {
  const statements: (["m", number, string, string, boolean, string[]] | ["o", number, string, string])[] =
    JSON.parse(text);
  return statements.flatMap((statement): readonly Change[] => {
    if (statement[0] === "o") {
      const [, at, id, earlierId] = statement;
      return [id, earlierId].every(isSomebodys) ? [ownerOf(earlierId, id, at)] : [];
    }
    const [, at, groupType, groupKey, joins, ids] = statement;
    const [id, ...others] = ids.filter(isSomebodys);
    if (id === undefined) return [];
    const membership = { at, joins, groupKey };
    return [{ kind: "membership", id, groupType, membership }, ...others.map((other) => ownerOf(other, id, at))];
  });
}

function ownerOf(id: string, owner: string, at: number): Change {
  return { kind: "owner", id, owner: { id: owner, at } };
}

function isSomebodys(id: string): boolean {
  return distinctIdProblem(id) === null;
}
