/** Differences of Segment's evaluator in the fields and values of a condition. Source: facts on Segment, 6.2; measured with 3.37.0. */

import type { FqlDifference, Kind } from "./differences.ts";
import type { FqlOperator } from "./tree.ts";

const PLAIN: ReadonlySet<string> = new Set(["type", "event", "name", "userId"]);
const BAGS: ReadonlySet<string> = new Set(["properties", "traits", "context"]);
const RESERVED: ReadonlySet<string> = new Set(["and", "or", "in", "null"]);

/** Nothing for a field that Segment reads. */
export function fieldDifferences({ keys, written, at }: Kind<"field">): readonly FqlDifference[] {
  const [first = ""] = keys;
  if (keys.length === 1 ? !PLAIN.has(first) : !BAGS.has(first)) {
    const what = keys.length === 1 && BAGS.has(first) ? `${first} as a whole` : `the field ${written}`;
    return [{ at, message: `Segment does not know ${what}: it leaves the condition out, and alone it never matches` }];
  }
  const isRead =
    /^[A-Za-z0-9_.\\ -]+$/.test(written) && keys.every((key) => /^[A-Za-z_]/.test(key) && !RESERVED.has(key));
  return isRead ? [] : [{ at, message: `Segment cannot read the field ${written}: it never matches` }];
}

export function textDifferences({ value, written, at }: Kind<"literal">): readonly FqlDifference[] {
  const found: FqlDifference[] = [];
  if (typeof value === "string" && written.startsWith("'"))
    found.push({ at, message: "Segment takes single quotes as part of the text" });
  if (typeof value === "string" && /\\["']/.test(written))
    found.push({ at, message: "Segment does not know escaped quotes: its text ends before the quote" });
  else if (typeof value === "string" && /\\\\/.test(written))
    found.push({ at, message: "Segment takes each backslash as it is written" });
  if (typeof value === "number" && /[eE]/.test(written))
    found.push({ at, message: "Segment reads the digits before the exponent only" });
  return found;
}

interface Comparison {
  readonly operator: FqlOperator;
  readonly left: Kind<"field">;
  readonly right: Kind<"literal">;
  readonly at: number;
}

export function valueDifferences({ operator, left, right, at }: Comparison): readonly FqlDifference[] {
  const message =
    operator === "=" || operator === "!=" ? equalityDifference(operator, left, right) : orderingDifference(right);
  return message === null ? [] : [{ at, message }];
}

function orderingDifference({ value, written }: Kind<"literal">): string | null {
  if (typeof value === "number") return null;
  return `Segment compares with the number that ${JSON.stringify(written)} makes; prickle with numbers only`;
}

function equalityDifference(
  operator: "=" | "!=",
  { keys }: Kind<"field">,
  { value, written }: Kind<"literal">,
): string | null {
  const [field = ""] = keys;
  const text = JSON.stringify(written);
  if (value === null)
    return field === "event" || field === "type" ? `Segment compares ${field} with the text "null"` : null;
  if (typeof value === "string") return null;
  const isRead = keys.length > 1 || (field === "userId" && operator === "=" && typeof value === "boolean");
  if (!isRead) return `Segment compares ${field} with the text ${text}`;
  if (operator === "=") return null;
  return typeof value === "number"
    ? "Segment gives false here, not true, where the field is missing or no number"
    : `Segment compares with the text ${text}, so that it holds for ${text} itself too`;
}

/** Segment reads one star, at one end, and nothing else that is special. */
export function globDifferences({ value, written, at }: Kind<"literal">): readonly FqlDifference[] {
  if (/^(?:\*[^*?[\\]*|[^*?[\\]*\*)$/.test(String(value))) return [];
  const inner = written.replace(/^"/, "").replace(/"$/, "");
  const message = inner.endsWith("*")
    ? `Segment reads "starts with ${inner.slice(0, -1)}": nothing else in it is special there`
    : `Segment reads "ends with ${inner.slice(1)}": the first character is taken for a star`;
  return [{ at, message }];
}
