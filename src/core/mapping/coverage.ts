/** Whether one rule wants every record that another wants. */

import { type Clause, clausesOf, implies } from "./fql/clauses.ts";
import { FqlError } from "./fql/tokens.ts";
import { type FqlNode, parseFql } from "./fql/tree.ts";

/** Of a rule's `when`; without one it always holds. Null where it cannot be read, which is said elsewhere. */
export function conditionTree(when: unknown): FqlNode | null {
  if (typeof when !== "string") return { kind: "literal", value: true, written: "true", at: 0 };
  try {
    return parseFql(when);
  } catch (thrown) {
    if (thrown instanceof FqlError) return null;
    throw thrown;
  }
}

/** Null where it cannot be said. */
export function conditionClauses(when: unknown): readonly Clause[] | null {
  const tree = conditionTree(when);
  return tree && clausesOf(tree);
}

const MOST_PAIRS = 100_000;

/** False where it cannot be said. */
export function covers(wide: readonly Clause[] | null, narrow: readonly Clause[] | null): boolean {
  if (!wide || !narrow || wide.length * narrow.length > MOST_PAIRS) return false;
  return narrow.every((clause) => wide.some((other) => implies(clause, other)));
}
