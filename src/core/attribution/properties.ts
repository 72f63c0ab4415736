/** What of a group identify is new: only that is sent. */

import { canonicalJson, type JsonObject, type JsonValue } from "../json.ts";
import { matchesGlob } from "../mapping/fql/glob.ts";
import { setOwn } from "../mapping/own.ts";
import type { Change, GroupState, Identify, Told } from "./knowledge.ts";
import { type GroupRules, type RulesBySource, rulesOf } from "./rules.ts";

export interface Difference {
  /** What the group identify has to carry; empty with `unset` empty: nothing has to be sent. */
  readonly set: JsonObject;
  /** What is to be removed from the group. */
  readonly unset: readonly string[];
  /** Properties that were true before what is known was. */
  readonly stale: number;
  /** What is known from now on; null: nothing new. */
  readonly change: Omit<Extract<Change, { kind: "group" }>, "seq"> | null;
}

export type ResolvedIdentify = Pick<Identify, "source" | "groupType" | "at" | "properties"> & {
  readonly groupKey: string;
};

export function differenceOf(state: GroupState | null, identify: ResolvedIdentify, rules: RulesBySource): Difference {
  const { source, at, groupType, groupKey } = identify;
  const { keyProperty } = rulesOf(rules, source);
  const { told, restated, moved, held, stale } = hear(state, identify, rules);
  if (!state || !Object.hasOwn(state.sent, keyProperty)) moved.push(keyProperty);
  const owed = state?.unsent ?? [];
  const isSent = moved.length > 0 || owed.some((name) => !isHeld(name, rules));
  const all = new Set([...owed, ...moved, ...held]);
  const after = { told: Object.fromEntries([...restated, ...told]), source };
  const { set, unset } = contents(isSent ? all : [], (name) =>
    carriesKey(name, keyProperty, rules) ? groupKey : effectiveOf(state, name, rules, after),
  );
  const isKnown = told.size === 0 && restated.size === 0 && !isSent;
  const change = {
    kind: "group" as const,
    groupType,
    groupKey,
    source,
    told: Object.fromEntries(told),
    restated: [...restated.keys()],
    restatedAt: at,
    unsent: isSent ? [] : [...all],
    sent: [...Object.keys(set), ...unset],
  };
  return { set, unset, stale, change: isKnown ? null : change };
}

interface Heard {
  /** What is new of the source's word, and what it says again. */
  readonly told: Map<string, Told>;
  readonly restated: Map<string, Told>;
  /** Properties of the group that change by it; those of which that alone sends nothing. */
  readonly moved: string[];
  readonly held: string[];
  readonly stale: number;
}

function hear(state: GroupState | null, identify: ResolvedIdentify, rules: RulesBySource): Heard {
  const { source } = identify;
  const own = rulesOf(rules, source);
  const [told, restated] = [new Map<string, Told>(), new Map<string, Told>()];
  const [moved, held]: [string[], string[]] = [[], []];
  let stale = 0;
  for (const [name, said] of sayings(identify, own)) {
    if (carriesKey(name, own.keyProperty, rules)) continue;
    const news = newsOf(toldBy(state, name, source), said);
    if (news === "stale") stale += 1;
    if (news === "stale" || news === "same") continue;
    (news === "new" ? told : restated).set(name, said);
    // What is said again may be newer now than what another source says.
    if (!isEffect(state, name, { source, said, rules })) continue;
    (isVolatile(name.slice(own.prefix.length), own.volatile) ? held : moved).push(name);
  }
  return { told, restated, moved, held, stale };
}

/** The properties in which groups carry their keys say nothing else, whatever a source says under these names. */
function carriesKey(name: string, keyProperty: string, rules: RulesBySource): boolean {
  return name === keyProperty || Object.values(rules).some((other) => other.keyProperty === name);
}

/** What the record says of each property, `nulls` and `prefix` applied. */
function* sayings({ properties, at }: ResolvedIdentify, { nulls, prefix }: GroupRules): Iterable<[string, Told]> {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null && nulls === "skip") continue;
    yield [prefix + key, value === null && nulls === "unset" ? { at } : { value, at }];
  }
}

/** Of two values at one time the one whose JSON text is greater counts, in whatever order they came. */
function newsOf(before: Told | undefined, said: Told): "new" | "restated" | "same" | "stale" {
  if (!before) return "new";
  const isSame = isSameValue(before.value, said.value);
  if (said.at > before.at) return isSame ? "restated" : "new";
  if (isSame) return "same";
  return said.at === before.at && textOf(said) > textOf(before) ? "new" : "stale";
}

function textOf({ value }: Told): string {
  return value === undefined ? "" : canonicalJson(value);
}

interface News {
  readonly source: string;
  readonly said: Told;
  readonly rules: RulesBySource;
}

function isEffect(state: GroupState | null, name: string, { source, said, rules }: News): boolean {
  const before = effectiveOf(state, name, rules, null);
  const after = effectiveOf(state, name, rules, { told: { [name]: said }, source });
  return !isSameValue(before, after);
}

/** The value of a property that counts among what all sources said; undefined: it has none. */
export function effectiveOf(
  state: GroupState | null,
  name: string,
  rules: RulesBySource,
  more: { readonly told: Readonly<Record<string, Told>>; readonly source: string } | null = null,
): JsonValue | undefined {
  return winnerOf(state, name, rules, more)?.value;
}

/** What a message that says the property again has to carry; undefined: that it is removed. */
export function sentValueOf(
  state: GroupState,
  name: string,
  groupKey: string,
  rules: RulesBySource,
): JsonValue | undefined {
  // What was sent although nobody told it is the key, also under the name it had in an earlier mapping.
  const isKey =
    !Object.hasOwn(state.told, name) || Object.values(rules).some(({ keyProperty }) => keyProperty === name);
  return isKey ? groupKey : effectiveOf(state, name, rules);
}

/** Whose word on a property counts. */
export function winnerOf(
  state: GroupState | null,
  name: string,
  rules: RulesBySource,
  more: { readonly told: Readonly<Record<string, Told>>; readonly source: string } | null = null,
): { readonly source: string; readonly value: JsonValue; readonly at: number } | null {
  const known = state && Object.hasOwn(state.told, name) ? state.told[name] : undefined;
  const said = more && Object.hasOwn(more.told, name) ? { ...known, [more.source]: more.told[name] } : known;
  let winner: { source: string; value: JsonValue; at: number; rank: number } | null = null;
  for (const [source, told] of Object.entries(said ?? {})) {
    if (told?.value === undefined) continue;
    const rank = rankOf(rulesOf(rules, source), name);
    const wins =
      !winner ||
      rank > winner.rank ||
      (rank === winner.rank && (told.at > winner.at || (told.at === winner.at && source > winner.source)));
    if (wins) winner = { source, value: told.value, at: told.at, rank };
  }
  return winner;
}

function rankOf({ precedence, prefix }: GroupRules, name: string): number {
  const { byProperty } = precedence;
  const key = name.slice(prefix.length);
  return Object.hasOwn(byProperty, key) ? (byProperty[key] ?? precedence.default) : precedence.default;
}

/** Whether a change of the property may wait, as every source that has it says. */
function isHeld(name: string, rules: RulesBySource): boolean {
  return Object.values(rules).some(
    ({ prefix, volatile }) => name.startsWith(prefix) && isVolatile(name.slice(prefix.length), volatile),
  );
}

function isVolatile(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matchesGlob(name, pattern));
}

function contents(
  names: Iterable<string>,
  valueAt: (name: string) => JsonValue | undefined,
): { readonly set: JsonObject; readonly unset: readonly string[] } {
  const set: JsonObject = {};
  const unset: string[] = [];
  for (const name of names) {
    const value = valueAt(name);
    if (value === undefined) unset.push(name);
    else setOwn(set, name, value);
  }
  return { set, unset };
}

function toldBy(state: GroupState | null, name: string, source: string): Told | undefined {
  const bySource = state && Object.hasOwn(state.told, name) ? state.told[name] : undefined;
  return bySource && Object.hasOwn(bySource, source) ? bySource[source] : undefined;
}

/** Objects are the same in whatever order they have their keys. */
export function isSameValue(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  return (
    one === other ||
    (typeof one === "object" && typeof other === "object" && canonicalJson(one) === canonicalJson(other))
  );
}
