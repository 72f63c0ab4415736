/** A condition as alternatives of demands on single fields: enough to see that it can never hold, or that another holds with it. */

import { type Demand, demandOf, isPossible, isWithin, joined, NOTHING_DEMANDED } from "./demand.ts";
import type { FqlNode } from "./tree.ts";

/** All of its demands together; the field's keys as JSON, or the text of what is no field, to what is demanded of it. */
export type Clause = ReadonlyMap<string, Demand>;

const MOST_CLAUSES = 64;

/** The alternatives under which it holds, those that contradict themselves left out; null when there are too many to say. */
export function clausesOf(tree: FqlNode): readonly Clause[] | null {
  try {
    return alternatives(tree, true).filter((clause) => [...clause.values()].every(isPossible));
  } catch (thrown) {
    if (thrown === TOO_MANY) return null;
    throw thrown;
  }
}

/** Whether the other holds wherever this one does. */
export function implies(clause: Clause, other: Clause): boolean {
  return [...other].every(([subject, demand]) => isWithin(clause.get(subject) ?? NOTHING_DEMANDED, demand));
}

/** Whether one record may meet both. */
export function mayHoldTogether(one: Clause, other: Clause): boolean {
  return [...both(one, other).values()].every(isPossible);
}

const TOO_MANY = new Error("too many clauses");

function alternatives(node: FqlNode, wanted: boolean): readonly Clause[] {
  switch (node.kind) {
    case "group":
      return alternatives(node.operand, wanted);
    case "not":
      return alternatives(node.operand, !wanted);
    case "and":
    case "or":
      return (node.kind === "and") === wanted
        ? node.operands.map((operand) => alternatives(operand, wanted)).reduce(product)
        : node.operands.flatMap((operand) => alternatives(operand, wanted));
    case "literal":
      return (node.value === true) === wanted ? [new Map()] : [];
    case "field":
      return [demanded(subjectOf(node), { ...NOTHING_DEMANDED, ...(wanted ? { among: [true] } : { not: [true] }) })];
    case "compare": {
      const demand = node.left.kind === "field" ? demandOf(node.operator, node.right, wanted) : null;
      return [demand ? demanded(subjectOf(node.left), demand) : opaque(node, wanted)];
    }
    case "list":
    case "call":
      return [opaque(node, wanted)];
  }
}

function product(left: readonly Clause[], right: readonly Clause[]): readonly Clause[] {
  if (left.length * right.length > MOST_CLAUSES) throw TOO_MANY;
  return left.flatMap((one) => right.map((other) => both(one, other)));
}

function both(one: Clause, other: Clause): Clause {
  const clause = new Map(one);
  for (const [subject, demand] of other) clause.set(subject, joined(clause.get(subject) ?? NOTHING_DEMANDED, demand));
  return clause;
}

function demanded(subject: string, demand: Demand): Clause {
  return new Map([[subject, demand]]);
}

/** What is not looked into is true or false as a whole. */
function opaque(node: FqlNode, wanted: boolean): Clause {
  return demanded(subjectOf(node), { ...NOTHING_DEMANDED, among: [wanted] });
}

function subjectOf(node: FqlNode): string {
  if (node.kind === "field") return JSON.stringify(node.keys);
  return JSON.stringify(node, (key, value: unknown) => (key === "at" || key === "written" ? undefined : value));
}
