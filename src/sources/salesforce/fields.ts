/** The fields that are read of an object: that they are there, of which type, and whether that is as it was. */

import { PrickleError } from "../../core/errors.ts";
import { suggestion } from "../../core/mapping/scope.ts";

/** Field → type. */
export type FieldTypes = Readonly<Record<string, string>>;

/** Values of several parts, which bulk queries do not give. */
const COMPOUND = ["address", "location"];

/** @throws SOURCE_CHANGED when one is not there, or is of several parts */
export function typesOf(
  wanted: readonly string[],
  object: string,
  described: readonly { readonly name: string; readonly type: string }[],
): FieldTypes {
  const all = new Map(described.map(({ name, type }) => [name, type]));
  const missing = wanted.filter((name) => !all.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `"${name}".${suggestion(name, [...all.keys()])}`);
    throw changed(`${object} of Salesforce has no field ${names.join(" And none ")}`);
  }
  const compound = wanted.find((name) => COMPOUND.includes(all.get(name) ?? ""));
  if (compound !== undefined) {
    throw changed(`${compound} of Salesforce's ${object} has several parts: name those, such as BillingCity.`);
  }
  return Object.fromEntries(wanted.map((name) => [name, all.get(name) ?? ""]));
}

export function retyped(before: FieldTypes | null, now: FieldTypes): readonly string[] {
  if (!before) return [];
  return Object.entries(now).flatMap(([name, type]) => {
    const was = before[name];
    return was === undefined || was === type ? [] : [`${name} was of type ${was} and is of type ${type} now.`];
  });
}

function changed(message: string): PrickleError {
  return new PrickleError("SOURCE_CHANGED", message, {
    hint: "Correct `fields` of the source, or let the user of the credentials see the field.",
  });
}
