/** Whether a rule can ever be the first whose condition holds. */

import type { EffectiveRule } from "./effective-rule.ts";
import { type Clause, implies } from "./fql/clauses.ts";
import { fitting, weightOf } from "./fql/demand.ts";
import { complain, inside, type Scope, warn } from "./scope.ts";

export interface Reachability {
  /** Says so if the rule is never reached, then takes it as one that stands before the others. */
  check(rule: EffectiveRule, clauses: readonly Clause[], scope: Scope): void;
}

/** Values compared for one mapping. What takes more is left unsaid. */
const MOST_WORK = 5_000_000;

interface Earlier {
  readonly order: number;
  readonly rule: EffectiveRule;
  readonly clause: Clause;
  readonly weight: number;
}

export function createReachability(): Reachability {
  /** By subject and value: clauses that demand one of some values of a subject. The others beside. */
  const byValue = new Map<string, Earlier[]>();
  const others: Earlier[] = [];
  let taken = 0;
  let work = 0;

  function take(rule: EffectiveRule, clause: Clause): void {
    const earlier = { order: taken++, rule, clause, weight: weightOfAll(clause) };
    const crowd = (some: readonly string[]) => some.reduce((sum, key) => sum + 1 + (byValue.get(key)?.length ?? 0), 0);
    const [least] = valuesOf(clause).toSorted((a, b) => crowd(a) - crowd(b));
    if (!least) others.push(earlier);
    for (const key of least ?? []) {
      const list = byValue.get(key);
      if (list) list.push(earlier);
      else byValue.set(key, [earlier]);
    }
  }

  /** Whoever covers a clause names its values too: the first of each subject is enough to find it by. */
  function coverOf(clause: Clause): Earlier | undefined {
    const weight = weightOfAll(clause);
    const covers = (earlier: Earlier) => {
      work += weight + earlier.weight;
      return work <= MOST_WORK && implies(clause, earlier.clause);
    };
    const lists = valuesOf(clause).map(([first = ""]) => byValue.get(first) ?? []);
    const found = [others, ...lists].map((list) => list.find(covers)).filter((one) => one !== undefined);
    return found.toSorted((a, b) => a.order - b.order)[0];
  }

  return {
    check(rule, clauses, scope) {
      const covers = clauses.map((clause) => (work > MOST_WORK ? undefined : coverOf(clause)));
      if (clauses.length === 0) complain(inside(scope, "when"), "never holds: it contradicts itself");
      else if (!covers.includes(undefined))
        complain(scope, `never reached: ${whyNot(covers.filter((one) => one !== undefined))}`);
      if (work > MOST_WORK && work < Number.POSITIVE_INFINITY) {
        warn(
          scope,
          "the conditions up to here are too many to say of it, and of rules after it, whether it is reached",
        );
        work = Number.POSITIVE_INFINITY;
      }
      for (const clause of clauses) take(rule, clause);
    },
  };
}

/** Of each subject of which some values are demanded: each of those that are possible. */
function valuesOf(clause: Clause): readonly (readonly string[])[] {
  return [...clause]
    .filter(([, { among }]) => among !== null)
    .map(([subject, demand]) => [...fitting(demand).map((value) => JSON.stringify([subject, value]))]);
}

function weightOfAll(clause: Clause): number {
  return clause.values().reduce((sum, demand) => sum + weightOf(demand), 1);
}

function whyNot(covering: readonly Earlier[]): string {
  const names = [...new Set(covering.map(({ rule }) => JSON.stringify(rule.name)))];
  const isAlways = covering.some(({ clause }) => clause.size === 0);
  const why = isAlways ? "applies always" : names.length > 1 ? "apply whenever it would" : "applies whenever it would";
  return `rule ${names.join(" and ")} before it ${why}`;
}
