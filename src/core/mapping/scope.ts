/** What the parts of the mapping compiler hand to each other: where they are, what they find wrong, what they produce. */

import { closest, distance } from "fastest-levenshtein";
import type { JsonValue } from "../json.ts";
import type { GroupRead } from "../known-groups.ts";
import type { MappingEnvironment } from "./environment.ts";
import type { Run } from "./run.ts";

/** Reads the data it is given; `undefined` means there is nothing. Never changes the data. What it cannot make it refuses through the run. */
export type Expression = (data: JsonValue | undefined, run: Run) => JsonValue | undefined;

/** `segment`: Segment's results, its bugs included. `prickle`: the right ones. docs/mapping.md lists the differences. */
export type Dialect = "prickle" | "segment";

export type PathSegment = string | number;

/** An `error` keeps the mapping from running, a `warning` does not. */
export type Severity = "error" | "warning";

export interface PlacedProblem {
  readonly at: readonly PathSegment[];
  readonly severity: Severity;
  readonly message: string;
  /** Where in the text, if that is not where what is at the place begins. */
  readonly offset?: number;
}

export interface Scope {
  readonly dialect: Dialect;
  readonly at: readonly PathSegment[];
  /** Name of the rule, for refusals. */
  readonly rule: string;
  readonly problems: PlacedProblem[];
  /**
   * Segment's dialect only: what is missing stays in objects and lists as `undefined`, because the directive around
   * treats it otherwise than what is not there.
   */
  readonly keepsMissing: boolean;
  /** Conditions that Segment would read otherwise get a warning: wherever `dialect: prickle` is not written. */
  readonly comparesSegment: boolean;
  /** As the file names itself: what its relative paths start from. */
  readonly file: string;
  readonly environment: MappingEnvironment;
  readonly groupTypes: readonly string[];
  /** Collects what the mapping asks of known groups. */
  readonly groupReads: GroupRead[];
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
  scope.problems.push({ at: scope.at, severity: "error", message });
  return nothing;
}

/** Notes what runs, but hardly as meant. */
export function warn(scope: Scope, message: string): void {
  scope.problems.push({ at: scope.at, severity: "warning", message });
}

/** Wrong, but for Segment not worth a word: there it only does nothing. */
export function complainUnlessSegment(scope: Scope, message: string): void {
  if (scope.dialect === "segment") warn(scope, message);
  else complain(scope, message);
}

/** The first refusal of an output is the one told. Gives nothing, for the expression to give. */
export type Refuse = (run: Run, found: string, allowed: string) => undefined;

/** The place is put into words once. */
export function refusalAt({ rule, at }: Scope): Refuse {
  const where = `${rule}: ${placeText(at.slice(2))}`;
  return (run, found, allowed) => {
    run.refusal ??= { reason: "invalid_field", detail: `${where}: found ${found}; ${allowed}.` };
    return undefined;
  };
}

/** ` Did you mean "x"?` when an allowed word is near, else nothing. */
export function suggestion(found: string, allowed: readonly string[]): string {
  if (allowed.length === 0 || allowed.length > 500 || found.length > 60) return "";
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

/** As in `rules[2].event.name`; empty for the file as a whole. */
export function placeText(at: readonly PathSegment[]): string {
  return at.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}
