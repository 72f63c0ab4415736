/** What the parts of the mapping compiler hand to each other: where they are, what they find wrong, what they produce. */

import { closest, distance } from "fastest-levenshtein";
import type { JsonValue } from "../json.ts";

/** Reads the data it is given; `undefined` means there is nothing. Never changes the data. */
export type Expression = (data: JsonValue | undefined) => JsonValue | undefined;

/** `segment`: Segment's results, its bugs included. `prickle`: the right ones. docs/mapping.md lists the differences. */
export type Dialect = "prickle" | "segment";

export type PathSegment = string | number;

export interface PlacedProblem {
  readonly at: readonly PathSegment[];
  readonly message: string;
}

export interface Scope {
  readonly dialect: Dialect;
  readonly at: readonly PathSegment[];
  readonly problems: PlacedProblem[];
  /** Compiles a value inside a directive. */
  readonly compile: (value: unknown, scope: Scope) => Expression;
  /** Compiles a value to itself, whatever looks like a directive in it. */
  readonly literal: (value: unknown, scope: Scope) => Expression;
}

export const nothing: Expression = () => undefined;

export function inside(scope: Scope, ...more: PathSegment[]): Scope {
  return { ...scope, at: [...scope.at, ...more] };
}

/** Notes what is wrong and gives an expression that stands in, so that the rest is checked as well. */
export function complain(scope: Scope, message: string): Expression {
  scope.problems.push({ at: scope.at, message });
  return nothing;
}

/** ` Did you mean "x"?` when an allowed word is near, else nothing. */
export function suggestion(found: string, allowed: readonly string[]): string {
  if (allowed.length === 0 || found.length > 60) return "";
  const near = closest(found, allowed);
  return distance(found, near) <= Math.max(2, near.length / 3) ? ` Did you mean "${near}"?` : "";
}

/** A value in a few words, for problems. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
