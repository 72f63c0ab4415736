/** The queries that are asked, in SOQL. Never OFFSET: it ends at 2,000 rows, and edits move what is behind it. */

import type { RowWindow } from "../../core/row-source.ts";

/** After which row in the order of time and id. */
export interface AfterRow {
  /** ms UTC. */
  readonly at: number;
  readonly id: string;
}

/** Every live row from after an id on, in the order of ids, which no edit changes. */
export function liveQuery(fields: readonly string[], object: string, afterId: string | null): string {
  const where = afterId === null ? "" : ` WHERE Id > ${quoted(afterId)}`;
  return `SELECT ${fields.join(", ")} FROM ${object}${where} ORDER BY Id`;
}

/** The same without order, which bulk queries do not take well. */
export function bulkQuery(fields: readonly string[], object: string): string {
  return `SELECT ${fields.join(", ")} FROM ${object}`;
}

export function countQuery(object: string): string {
  return `SELECT COUNT() FROM ${object}`;
}

export function changedQuery(
  fields: readonly string[],
  object: string,
  { from, to }: RowWindow,
  after: AfterRow | null,
): string {
  const within = [...(after ? [behind(after)] : [`SystemModstamp >= ${time(from)}`]), `SystemModstamp <= ${time(to)}`];
  return inOrder(fields, object, within);
}

export function removedQuery(
  fields: readonly string[],
  object: string,
  since: number | null,
  after: AfterRow | null,
): string {
  const from = since === null ? [] : [`SystemModstamp >= ${time(since)}`];
  return inOrder(fields, object, ["IsDeleted = true", ...(after ? [behind(after)] : from)]);
}

export function ofIdsQuery(fields: readonly string[], object: string, ids: readonly string[]): string {
  return `SELECT ${fields.join(", ")} FROM ${object} WHERE Id IN (${ids.map(quoted).join(", ")})`;
}

function inOrder(fields: readonly string[], object: string, conditions: readonly string[]): string {
  return `SELECT ${fields.join(", ")} FROM ${object} WHERE ${conditions.join(" AND ")} ORDER BY SystemModstamp, Id`;
}

function behind({ at, id }: AfterRow): string {
  return `((SystemModstamp = ${time(at)} AND Id > ${quoted(id)}) OR SystemModstamp > ${time(at)})`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
