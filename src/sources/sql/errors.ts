/** What PostgreSQL or the way to it says no by, as an error of prickle that names the place in the query. */

import { PrickleError } from "../../core/errors.ts";
import { excerpt } from "../../platform/api-answer.ts";

/** Classes of SQLSTATE (PostgreSQL, appendix A). */
const PASSING = /^(08|53|55P03|57P0|40)/;
const TIMED_OUT = "57014";
const CREDENTIALS = /^28|^3D000/;
const FORBIDDEN = "42501";
const WRITES = "25006";
const NOT_THERE = /^42|^22|^21/;

/** True: the same may succeed in a moment. */
export function isPassing(thrown: unknown): boolean {
  const state = stateOf(thrown);
  return state === null || PASSING.test(state);
}

/** `before`: characters of the statement before the query of the configuration; `query`: that query. */
export function errorOf(
  thrown: unknown,
  { before, query }: { readonly before: number; readonly query: string },
): PrickleError {
  const state = stateOf(thrown);
  const said = excerpt(thrown instanceof Error ? thrown.message : String(thrown));
  const fail = (code: "SOURCE_REFUSED" | "SOURCE_CHANGED" | "SOURCE_UNAVAILABLE", message: string, hint: string) =>
    new PrickleError(code, message, { hint });
  if (state === null) {
    const hint = "Nothing is lost: the next sync goes on from here. Is the address right?";
    return fail("SOURCE_UNAVAILABLE", `PostgreSQL was not reached: ${said}.`, hint);
  }
  const where = placeIn(query, positionOf(thrown) - before);
  const message = `PostgreSQL refused the query${where}: ${said} (${state}).`;
  if (state === TIMED_OUT) {
    const hint =
      "An index on the id column, and on the column of modification, makes pages cheap; or raise `statementTimeout`.";
    return fail("SOURCE_UNAVAILABLE", message, hint);
  }
  if (CREDENTIALS.test(state)) return fail("SOURCE_REFUSED", `PostgreSQL: ${said} (${state}).`, "Is the URL right?");
  if (state === FORBIDDEN) return fail("SOURCE_REFUSED", message, "Grant SELECT to the user of the URL.");
  if (state === WRITES) return fail("SOURCE_REFUSED", message, "The query may only read.");
  if (NOT_THERE.test(state)) return fail("SOURCE_CHANGED", message, "Correct `query` of the source.");
  return fail("SOURCE_UNAVAILABLE", message, "Nothing is lost: the next sync goes on from here.");
}

/** Null: it is not the database's own. */
function stateOf(thrown: unknown): string | null {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** In characters from 1; 0: it names none. */
function positionOf(thrown: unknown): number {
  const position = thrown instanceof Error && "position" in thrown ? Number(thrown.position) : 0;
  return Number.isInteger(position) ? position : 0;
}

function placeIn(query: string, position: number): string {
  if (position < 1 || position > query.length) return "";
  const lines = query.slice(0, position - 1).split("\n");
  return ` at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
