/** A condition as alternatives of demands on single fields: enough to see that it can never hold, or that another holds with it. */

import { type Demand, demandOf, isPossible, isWithin, joined, NOTHING_DEMANDED } from "./demand.ts";
import type { FqlNode } from "./tree.ts";

/** All of its demands together; the field's keys as JSON, or the text of what is no field, to what is demanded of it. */
export type Clause = ReadonlyMap<string, Demand>;

/** Of `and` over `or`, which multiplies them; and of `or` alone. */
const MOST_CLAUSES = 64;
const MOST_ALTERNATIVES = 2000;

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
  return [...together([one, other]).values()].every(isPossible);
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
        ? allOf(node.operands.map((operand) => alternatives(operand, wanted)))
        : anyOf(node.operands.map((operand) => alternatives(operand, wanted)));
    case "literal":
      return (node.value === true) === wanted ? [new Map()] : [];
    case "field":
      return [
        demanded(subjectOf(node), { ...NOTHING_DEMANDED, ...(wanted ? { among: ONLY_TRUE } : { not: ONLY_TRUE }) }),
      ];
    case "compare": {
      const demand = node.left.kind === "field" ? demandOf(node.operator, node.right, wanted) : null;
      return [demand ? demanded(subjectOf(node.left), demand) : opaque(node, wanted)];
    }
    case "list":
    case "call":
      return [opaque(node, wanted)];
  }
}

const ONLY_TRUE: ReadonlySet<boolean> = new Set([true]);

function anyOf(lists: readonly (readonly Clause[])[]): readonly Clause[] {
  if (lists.reduce((sum, { length }) => sum + length, 0) > MOST_ALTERNATIVES) throw TOO_MANY;
  return lists.flat();
}

/** Those without a choice are laid together first: there may be many of them. */
function allOf(lists: readonly (readonly Clause[])[]): readonly Clause[] {
  const certain = lists.filter(({ length }) => length === 1).flat();
  return lists.filter(({ length }) => length !== 1).reduce(product, [together(certain)]);
}

function product(left: readonly Clause[], right: readonly Clause[]): readonly Clause[] {
  if (left.length * right.length > MOST_CLAUSES) throw TOO_MANY;
  return left.flatMap((one) => right.map((other) => together([one, other])));
}

function together(clauses: readonly Clause[]): Clause {
  const demands = Map.groupBy(
    clauses.flatMap((clause) => [...clause]),
    ([subject]) => subject,
  );
  return new Map([...demands].map(([subject, all]) => [subject, joined(all.map(([, demand]) => demand))]));
}

function demanded(subject: string, demand: Demand): Clause {
  return new Map([[subject, demand]]);
}

/** What is not looked into is true or false as a whole. */
function opaque(node: FqlNode, wanted: boolean): Clause {
  return demanded(subjectOf(node), { ...NOTHING_DEMANDED, among: new Set([wanted]) });
}

function subjectOf(node: FqlNode): string {
  if (node.kind === "field") return JSON.stringify(node.keys);
  return JSON.stringify(node, (key, value: unknown) => (key === "at" || key === "written" ? undefined : value));
}
