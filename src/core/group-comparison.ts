/** What a destination was sent of a group against what it shows: only what sources told counts. */

import { isSameValue } from "./attribution/properties.ts";
import type { Arrival, HeldGroup } from "./group-knowledge.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { LeftOut, PropertyDifference } from "./verification.ts";

export interface GroupComparison {
  readonly differences: readonly PropertyDifference[];
  /** Of properties that were not compared. */
  readonly leftOut: ReadonlySet<LeftOut>;
}

/** `shown` null: the destination has no such group, which lacks nothing that should be gone. `settledBefore`: ms UTC. */
export function compareGroup(
  { properties }: Pick<HeldGroup, "properties">,
  shown: Readonly<JsonObject> | null,
  settledBefore: number,
): GroupComparison {
  const differences: PropertyDifference[] = [];
  const leftOut = new Set<LeftOut>();
  for (const [name, { value: expected, arrival }] of Object.entries(properties)) {
    const reason = leftOutFor(arrival, settledBefore);
    if (reason) leftOut.add(reason);
    if (reason) continue;
    const found = shown && Object.hasOwn(shown, name) ? shown[name] : undefined;
    if (isShownSame(expected, found)) continue;
    differences.push({
      name,
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { shown: found }),
    });
  }
  return { differences, leftOut };
}

function leftOutFor(arrival: Arrival, settledBefore: number): LeftOut | null {
  if (arrival === "waiting") return "waiting";
  if (arrival === "unsent") return "owed";
  return typeof arrival === "number" && arrival > settledBefore ? "settling" : null;
}

function isShownSame(expected: JsonValue | undefined, shown: JsonValue | undefined): boolean {
  if (isSameValue(expected, shown)) return true;
  return expected !== undefined && shown !== undefined && isSameValue(asStored(expected), asStored(shown));
}

/** PostgreSQL takes neither NUL nor half a character: PostHog replaces them, with one character or another. */
function asStored(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.toWellFormed().replaceAll(/[\0\uFFFD]/g, "");
  if (Array.isArray(value)) return value.map(asStored);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asStored(inner)]));
}
