/** What a condition demands of one field: one of some values, none of some, a number within bounds. */

import type { FqlNode, FqlOperator } from "./tree.ts";

export type Scalar = string | number | boolean | null;

export interface Demand {
  /** Null: whatever. */
  readonly among: ReadonlySet<Scalar> | null;
  readonly not: ReadonlySet<Scalar>;
  /** Null: need not be a number. */
  readonly range: Range | null;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly fromIncluded: boolean;
  readonly toIncluded: boolean;
}

export const NOTHING_DEMANDED: Demand = { among: null, not: new Set(), range: null };

/** Null for a comparison whose outcome is not a demand on the left alone. */
export function demandOf(operator: FqlOperator, right: FqlNode, wanted: boolean): Demand | null {
  switch (operator) {
    case "=":
    case "!=":
      return right.kind === "literal" ? oneOf([right.value], (operator === "=") === wanted) : null;
    case "in": {
      const values =
        right.kind === "list"
          ? right.items.map((item) => (item.kind === "literal" ? item.value : undefined))
          : [undefined];
      const known = values.filter((value) => value !== undefined);
      return known.length === values.length ? oneOf(known, wanted) : null;
    }
    default:
      return right.kind === "literal" && typeof right.value === "number" && wanted
        ? { ...NOTHING_DEMANDED, range: rangeOf(operator, right.value) }
        : null;
  }
}

/** What all of them demand. */
export function joined(demands: readonly Demand[]): Demand {
  const [first, second] = demands;
  if (!second) return first ?? NOTHING_DEMANDED;
  const amongs = demands.map(({ among }) => among).filter((among) => among !== null);
  const ranges = demands.map(({ range }) => range).filter((range) => range !== null);
  return {
    among: amongs.length === 0 ? null : amongs.reduce(common),
    not: new Set(demands.flatMap(({ not }) => [...not])),
    range: ranges.length === 0 ? null : ranges.reduce(overlap),
  };
}

function common(one: ReadonlySet<Scalar>, other: ReadonlySet<Scalar>): ReadonlySet<Scalar> {
  return new Set(one.values().filter((value) => other.has(value)));
}

export function isPossible(demand: Demand): boolean {
  const { among, range } = demand;
  if (among) return fitting(demand).next().done !== true;
  return range === null || range.from < range.to || (range.from === range.to && range.fromIncluded && range.toIncluded);
}

/** Whether whatever meets this demand meets the wider one too. */
export function isWithin(demand: Demand, wider: Demand): boolean {
  if (demand.among) return fitting(demand).every((value) => fits(value, wider));
  if (wider.among) return false;
  const excludes = (value: Scalar) =>
    demand.not.has(value) || (demand.range !== null && !isInside(value, demand.range));
  return (
    wider.not.values().every(excludes) &&
    (wider.range === null || (demand.range !== null && isNarrower(demand.range, wider.range)))
  );
}

function oneOf(values: readonly Scalar[], wanted: boolean): Demand {
  const set = new Set(values);
  return wanted ? { ...NOTHING_DEMANDED, among: set } : { ...NOTHING_DEMANDED, not: set };
}

/** Of the values named, those the rest of the demand lets through. */
export function fitting(demand: Demand): IteratorObject<Scalar> {
  const rest = { ...demand, among: null };
  return (demand.among ?? new Set()).values().filter((value) => fits(value, rest));
}

/** How many values there are to look through. */
export function weightOf({ among, not }: Demand): number {
  return 1 + (among?.size ?? 0) + not.size;
}

function fits(value: Scalar, { among, not, range }: Demand): boolean {
  return (among === null || among.has(value)) && !not.has(value) && (range === null || isInside(value, range));
}

const EVERYTHING: Range = { from: -Infinity, to: Infinity, fromIncluded: false, toIncluded: false };

function rangeOf(operator: "<" | "<=" | ">" | ">=", bound: number): Range {
  const included = operator.endsWith("=");
  return operator.startsWith("<")
    ? { ...EVERYTHING, to: bound, toIncluded: included }
    : { ...EVERYTHING, from: bound, fromIncluded: included };
}

function overlap(one: Range, other: Range): Range {
  const lower = one.from > other.from || (one.from === other.from && !one.fromIncluded) ? one : other;
  const upper = one.to < other.to || (one.to === other.to && !one.toIncluded) ? one : other;
  return { from: lower.from, fromIncluded: lower.fromIncluded, to: upper.to, toIncluded: upper.toIncluded };
}

function isInside(value: Scalar, { from, to, fromIncluded, toIncluded }: Range): boolean {
  if (typeof value !== "number") return false;
  return (value > from || (fromIncluded && value === from)) && (value < to || (toIncluded && value === to));
}

function isNarrower(range: Range, wider: Range): boolean {
  const { from, fromIncluded, to, toIncluded } = overlap(range, wider);
  return (
    from === range.from && to === range.to && fromIncluded === range.fromIncluded && toIncluded === range.toIncluded
  );
}
