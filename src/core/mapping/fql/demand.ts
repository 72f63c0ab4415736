/** What a condition demands of one field: one of some values, none of some, a number within bounds. */

import type { FqlNode, FqlOperator } from "./tree.ts";

export type Scalar = string | number | boolean | null;

export interface Demand {
  /** Null: whatever. */
  readonly among: readonly Scalar[] | null;
  readonly not: readonly Scalar[];
  /** Null: need not be a number. */
  readonly range: Range | null;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly fromIncluded: boolean;
  readonly toIncluded: boolean;
}

export const NOTHING_DEMANDED: Demand = { among: null, not: [], range: null };

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

export function joined(one: Demand, other: Demand): Demand {
  return {
    among:
      one.among && other.among ? one.among.filter((value) => other.among?.includes(value)) : (one.among ?? other.among),
    not: [...one.not, ...other.not],
    range: one.range && other.range ? overlap(one.range, other.range) : (one.range ?? other.range),
  };
}

export function isPossible(demand: Demand): boolean {
  const { among, range } = demand;
  if (among) return among.some((value) => fits(value, { ...demand, among: null }));
  return range === null || range.from < range.to || (range.from === range.to && range.fromIncluded && range.toIncluded);
}

/** Whether whatever meets this demand meets the wider one too. */
export function isWithin(demand: Demand, wider: Demand): boolean {
  const values = demand.among?.filter((value) => fits(value, { ...demand, among: null }));
  if (values) return values.every((value) => fits(value, wider));
  if (wider.among) return false;
  const excludes = (value: Scalar) =>
    demand.not.includes(value) || (demand.range !== null && !isInside(value, demand.range));
  return (
    wider.not.every(excludes) &&
    (wider.range === null || (demand.range !== null && isNarrower(demand.range, wider.range)))
  );
}

function oneOf(values: readonly Scalar[], wanted: boolean): Demand {
  return wanted ? { ...NOTHING_DEMANDED, among: values } : { ...NOTHING_DEMANDED, not: values };
}

function fits(value: Scalar, { among, not, range }: Demand): boolean {
  return (
    (among === null || among.includes(value)) && !not.includes(value) && (range === null || isInside(value, range))
  );
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
