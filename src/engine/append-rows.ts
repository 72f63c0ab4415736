/** Rows into a table, column by column: the fastest way into DuckDB from JavaScript. */

import {
  type DuckDBAppender,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBUUIDValue,
  type DuckDBValue,
  INTEGER,
  TIMESTAMP,
  UUID,
  VARCHAR,
} from "@duckdb/node-api";

const MAX_CHUNK_ROWS = 2048;

export interface Column<Row> {
  readonly type: DuckDBType;
  readonly value: (row: Row) => DuckDBValue;
}

export type AppendRows<Row> = (appender: DuckDBAppender, rows: readonly Row[]) => void;

/**
 * Gives a function that appends rows in the open transaction. `columns` are all columns of the table, in its order. It works with one
 * chunk again and again: what a chunk holds is out of the garbage collector's sight, so new ones would pile up.
 */
export function createRowAppender<Row>(columns: readonly Column<Row>[]): AppendRows<Row> {
  const chunk = DuckDBDataChunk.create(columns.map(({ type }) => type));
  return (appender, rows) => {
    for (let from = 0; from < rows.length; from += MAX_CHUNK_ROWS) {
      const part = rows.slice(from, from + MAX_CHUNK_ROWS);
      chunk.reset();
      chunk.rowCount = part.length;
      for (const [index, { value }] of columns.entries()) chunk.setColumnValues(index, part.map(value));
      appender.appendDataChunk(chunk);
    }
    chunk.reset();
    appender.closeSync();
  };
}

export function text<Row>(value: (row: Row) => string | null): Column<Row> {
  return { type: VARCHAR, value };
}

export function integer<Row>(value: (row: Row) => number): Column<Row> {
  return { type: INTEGER, value };
}

export function uuid<Row>(value: (row: Row) => string): Column<Row> {
  return { type: UUID, value: (row) => DuckDBUUIDValue.fromUint128(BigInt(`0x${value(row).replaceAll("-", "")}`)) };
}

/** Of ms UTC. */
export function timestamp<Row>(value: (row: Row) => number): Column<Row> {
  return { type: TIMESTAMP, value: (row) => timestampOf(value(row)) };
}

export function timestampOf(ms: number): DuckDBTimestampValue {
  return new DuckDBTimestampValue(BigInt(Math.trunc(ms)) * 1000n);
}
