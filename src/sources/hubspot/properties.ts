/** The properties of companies, as the account has them: what is missing is told, and what is of another type than before. */

import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { PrickleError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { murmur128 } from "../../core/murmur.ts";
import type { Answered, HubspotClient } from "./client.ts";
import { PATHS } from "./paths.ts";
import { propertiesAnswer, type WireProperty } from "./wire.ts";

export interface WantedProperties {
  /** Missing, the run fails: what the configuration and one's own mapping name. */
  readonly required: readonly string[];
  /** Missing, a warning tells. */
  readonly wished: readonly string[];
  /** Missing, nobody is told. */
  readonly usual: readonly string[];
}

export interface PropertySnapshot {
  /** Those wanted that are there, by name. */
  readonly properties: ReadonlyMap<string, WireProperty>;
  readonly warnings: readonly string[];
}

const FAR = 0.4;

/** @throws SOURCE_CHANGED when a required one is missing */
export async function readProperties(
  client: HubspotClient,
  wanted: WantedProperties,
  signal: AbortSignal,
): Promise<Answered<PropertySnapshot>> {
  const { value, at } = await client.get(`${PATHS.properties}?archived=false`, propertiesAnswer, signal);
  const live = new Map(value.results.map((property) => [property.name, property]));
  const missing = wanted.required.filter((name) => !live.has(name));
  if (missing.length > 0) throw lacking(missing, live, await archivedNames(client, signal));
  const names = [...new Set([...wanted.required, ...wanted.wished, ...wanted.usual])];
  const properties = new Map(names.flatMap((name) => pair(name, live.get(name))));
  const warnings = wanted.wished.filter((name) => !live.has(name)).map(notThere);
  return { value: { properties, warnings }, at };
}

async function archivedNames(client: HubspotClient, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { value } = await client.get(`${PATHS.properties}?archived=true`, propertiesAnswer, signal);
  return new Set(value.results.map(({ name }) => name));
}

function lacking(missing: readonly string[], live: ReadonlyMap<string, WireProperty>, archived: ReadonlySet<string>) {
  const told = missing.map((name) => `"${name}"${archived.has(name) ? " (it is archived)" : suggestion(name, live)}`);
  return new PrickleError("SOURCE_CHANGED", `HubSpot has no company property ${told.join(", ")}.`, {
    hint: "Restore it in HubSpot, or change what the mapping or `properties` of the source names.",
  });
}

function suggestion(name: string, live: ReadonlyMap<string, WireProperty>): string {
  if (live.size === 0) return "";
  const near = closest(name, [...live.keys()]);
  return distance(name, near) <= name.length * FAR ? ` (is "${near}" meant?)` : "";
}

function pair(name: string, property: WireProperty | undefined): readonly (readonly [string, WireProperty])[] {
  return property ? [[name, property]] : [];
}

function notThere(name: string): string {
  return `HubSpot has no company property "${name}", which the mapping reads.`;
}

const typesSchema = z.record(z.string(), z.string());

/** What decides how values are read, as text that can be kept: types, and labels where they are used. */
export function describeProperties(properties: PropertySnapshot["properties"], usesLabels: boolean): string {
  const labels = ({ options }: WireProperty) => (usesLabels && options.length > 0 ? ` ${digestOf(options)}` : "");
  return JSON.stringify(Object.fromEntries([...properties].map(([name, one]) => [name, typeOf(one) + labels(one)])));
}

/** What is of another type than it was described, in one sentence each. */
export function changedTypes(properties: PropertySnapshot["properties"], remembered: string | null): readonly string[] {
  const before = readTypes(remembered);
  return [...properties].flatMap(([name, property]) => {
    const was = before[name]?.split(" ")[0];
    const is = typeOf(property);
    if (was === undefined || was === is) return [];
    return [`The property ${name} was ${was} and is ${is}: all companies are read again.`];
  });
}

function digestOf(options: WireProperty["options"]): string {
  return murmur128(canonicalJson(options))
    .map((word) => (word >>> 0).toString(16))
    .join("");
}

function typeOf({ type, fieldType }: WireProperty): string {
  return fieldType === "checkbox" || fieldType === "booleancheckbox" ? `${type}/${fieldType}` : type;
}

function readTypes(remembered: string | null): Readonly<Record<string, string>> {
  try {
    return typesSchema.parse(JSON.parse(remembered ?? "{}"));
  } catch {
    return {}; // Of another version of prickle.
  }
}
