/** The statements: the query of the configuration as a table, walked by keyset, so that no page depends on how many rows came before. */

import type { RowWindow } from "../../core/row-source.ts";
import type { Statement } from "./client.ts";
import { type ColumnTypes, isBoolean, isTime, type NamedColumns } from "./columns.ts";

export interface Table extends NamedColumns {
  readonly query: string;
  readonly rowsAtOnce: number;
}

/** Of the row read last, as PostgreSQL wrote them: exact to the microsecond. */
export interface PlaceInTime {
  readonly updatedAt: string;
  readonly id: string;
}

const NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

export function describing({ query }: Table): Statement {
  return statement(query, "SELECT q.* FROM ", "LIMIT 0", []);
}

export function timing(): Statement {
  return { text: `SELECT ${NOW}`, values: [], query: "", before: 0 };
}

export function live(table: Table, types: ColumnTypes, afterId: string | null): Statement {
  const id = column(table.idColumn);
  const where = [`${id} IS NOT NULL`, ...isDeleted(table, types, "NOT "), ...(afterId === null ? [] : [`${id} > $1`])];
  return page(table, where, id, afterId === null ? [] : [afterId]);
}

export function changedIn(
  table: Table & { readonly updatedAtColumn: string },
  types: ColumnTypes,
  { from, to }: RowWindow,
  after: PlaceInTime | null,
): Statement {
  const [id, updated] = [column(table.idColumn), column(table.updatedAtColumn)];
  const until = time(to + 1);
  const start = after === null ? `${updated} >= $2` : `(${updated}, ${id}) > ($2, $3)`;
  const where = [`${id} IS NOT NULL`, ...isDeleted(table, types, "NOT "), `${updated} < $1`, start];
  const values = after === null ? [until, time(from)] : [until, after.updatedAt, after.id];
  return page(table, where, `${updated}, ${id}`, values);
}

export function deletedSince(
  table: Table,
  types: ColumnTypes,
  since: number | null,
  afterId: string | null,
): Statement {
  const id = column(table.idColumn);
  const { deletedColumn, updatedAtColumn } = table;
  const timed = deletedColumn !== null && isTime(types.get(deletedColumn)) ? deletedColumn : updatedAtColumn;
  const values: string[] = [];
  const where = [`${id} IS NOT NULL`, ...isDeleted(table, types, "")];
  if (since !== null && timed !== null) where.push(`${column(timed)} >= $${values.push(time(since))}`);
  if (afterId !== null) where.push(`${id} > $${values.push(afterId)}`);
  return page(table, where, id, values);
}

/** Of each row: its id, when it was modified, when it was deleted, what it says, and the time it is at the database. */
function page(table: Table, where: readonly string[], order: string, values: readonly string[]): Statement {
  const { query, idColumn, updatedAtColumn, deletedColumn, rowsAtOnce } = table;
  const text = (name: string | null) => (name === null ? "NULL" : `${column(name)}::text`);
  const select = [text(idColumn), text(updatedAtColumn), text(deletedColumn), "to_jsonb(q)::text", NOW].join(", ");
  const rest = `WHERE ${where.join(" AND ")} ORDER BY ${order} LIMIT ${rowsAtOnce}`;
  return statement(query, `SELECT ${select} FROM `, rest, values);
}

function isDeleted({ deletedColumn }: Table, types: ColumnTypes, not: "NOT " | ""): readonly string[] {
  if (deletedColumn === null) return [];
  const name = column(deletedColumn);
  return [isBoolean(types.get(deletedColumn)) ? `${name} IS ${not}TRUE` : `${not}(${name} IS NOT NULL)`];
}

/** On lines of its own: it may end with a comment. */
function statement(query: string, head: string, rest: string, values: readonly string[]): Statement {
  const before = `${head}(\n`;
  return { text: `${before}${query}\n) AS q ${rest}`, values, query, before: before.length };
}

function column(name: string): string {
  return `q."${name.replaceAll('"', '""')}"`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
