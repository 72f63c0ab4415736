/** The part of a value that has the form it shall have, so that the rest of it is checked as well. */

import type * as z from "zod";
import { isJsonObject, type JsonObject } from "../json.ts";
import { parseSafely } from "../safe-parsing.ts";
import { type At, placeOf, valueAt } from "./placed-issues.ts";

export interface Readable<Value> {
  readonly value: Value;
  /** Under which keys something was left out; "" stands for a key of its own. Empty: all is as it shall be. */
  readonly unread: ReadonlySet<string>;
}

/** What is left out may leave something else wrong. */
const MOST_ROUNDS = 4;

/** Null where too little is left. */
export function readReadable<Schema extends z.ZodType>(
  schema: Schema,
  content: JsonObject,
): Readable<z.output<Schema>> | null {
  const unread = new Set<string>();
  let rest = content;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const parsed = parseSafely(schema, rest);
    if (parsed.success) return { value: parsed.data, unread };
    for (const issue of parsed.issues) {
      const at = placeOf(issue);
      const places = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...at, key]) : [at];
      for (const place of places) {
        // What is missing is wrong about what it is missing in.
        const wrong = valueAt(rest, place) === undefined ? place.slice(0, -1) : place;
        if (wrong.length === 0) return null;
        unread.add(wrong.length === 1 ? "" : String(wrong[0]));
        rest = without(rest, wrong);
      }
    }
  }
  return null;
}

/** The same without what stands there; of a list, without the list. */
function without(object: JsonObject, [key, ...rest]: At): JsonObject {
  const entries = Object.entries(object).flatMap(([name, value]) => {
    if (name !== String(key)) return [[name, value] as const];
    return rest.length > 0 && isJsonObject(value) ? [[name, without(value, rest)] as const] : [];
  });
  return Object.fromEntries(entries);
}
