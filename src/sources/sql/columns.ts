/** The columns a query gives: that those the configuration names are there, and of a type that can be used so. */

import { PrickleError } from "../../core/errors.ts";
import { suggestion } from "../../core/mapping/scope.ts";

export interface NamedColumns {
  readonly idColumn: string;
  /** When a row was modified; null: nobody knows, so all are read and compared. */
  readonly updatedAtColumn: string | null;
  /** True, or a time: the row is deleted. Null: deleted rows are not there. */
  readonly deletedColumn: string | null;
}

/** Column → OID of its type. */
export type ColumnTypes = ReadonlyMap<string, number>;

const BOOLEAN = 16;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/** @throws SOURCE_CHANGED */
export function checkColumns({ idColumn, updatedAtColumn, deletedColumn }: NamedColumns, types: ColumnTypes): void {
  for (const name of [idColumn, updatedAtColumn, deletedColumn]) {
    if (name === null || types.has(name)) continue;
    throw changed(`The query gives no column "${name}".${suggestion(name, [...types.keys()])}`);
  }
  if (updatedAtColumn !== null && !isTime(types.get(updatedAtColumn))) {
    throw changed(`Column "${updatedAtColumn}" is no timestamp: it cannot tell when a row was modified.`);
  }
  const deleted = deletedColumn === null ? BOOLEAN : types.get(deletedColumn);
  if (deleted !== BOOLEAN && !isTime(deleted)) {
    throw changed(
      `Column "${deletedColumn}" is neither boolean nor a timestamp: it cannot tell whether a row is deleted.`,
    );
  }
}

export function isTime(type: number | undefined): boolean {
  return type === TIMESTAMP || type === TIMESTAMPTZ;
}

export function isBoolean(type: number | undefined): boolean {
  return type === BOOLEAN;
}

function changed(message: string): PrickleError {
  return new PrickleError("SOURCE_CHANGED", message, { hint: "Correct the source in prickle.yaml, or its query." });
}
