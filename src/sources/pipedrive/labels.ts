/** Names of custom fields and of their options: organizations carry hashes and numbers only. */

import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { OrganizationField } from "./shapes.ts";

export interface Labels {
  /** Of a custom field by its hash. */
  readonly names: ReadonlyMap<string, string>;
  /** Hash → id of an option → its label. */
  readonly options: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly warnings: readonly string[];
}

const HASH = /^[0-9a-f]{40}$/;

/** Fields that share a name keep their hash: which is which could change from day to day. */
export function labelsOf(fields: readonly OrganizationField[]): Labels {
  const custom = fields
    .filter(({ code }) => HASH.test(code))
    .toSorted((one, other) => (one.code < other.code ? -1 : 1));
  const times = Map.groupBy(custom, ({ name }) => name);
  const names = new Map(custom.map(({ code, name }) => [code, times.get(name)?.length === 1 ? name : code]));
  const warnings = [...times].flatMap(([name, all]) =>
    all.length === 1 ? [] : [`${all.length} custom fields of Pipedrive are named "${name}": they keep their hashes.`],
  );
  const options = new Map(
    custom.map(({ code, options: all }) => [code, new Map(all.map(({ id, label }) => [String(id), label]))]),
  );
  return { names, options, warnings };
}

/** `custom_fields` by their names, with the labels of what was chosen. */
export function labelled(values: Readonly<Record<string, unknown>>, { names, options }: Labels): JsonObject {
  const entries = Object.entries(values).map(([hash, value]) => {
    const chosen = options.get(hash);
    return [names.get(hash) ?? hash, chosen && chosen.size > 0 ? chosenIn(value, chosen) : toJson(value)];
  });
  return Object.fromEntries(entries);
}

function chosenIn(value: unknown, options: ReadonlyMap<string, string>): JsonValue {
  if (Array.isArray(value)) return value.map((one) => chosenIn(one, options));
  if (typeof value !== "string" && typeof value !== "number") return toJson(value);
  return options.get(String(value)) ?? value;
}

/** It comes from JSON. */
function toJson(value: unknown): JsonValue {
  return (value ?? null) as JsonValue;
}
