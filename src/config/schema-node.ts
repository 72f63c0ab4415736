/** Looks into the JSON Schema of prickle.yaml: which keys a place allows, whether it holds a secret, what it takes. */

import * as z from "zod";
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";
import { REFERENCE } from "./fields.ts";
import type { Path } from "./problem.ts";
import { configSchema } from "./schema.ts";

/** JSON Schema (draft 2020-12) of prickle.yaml, for editors. */
export function configJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      if (jsonSchema.type !== "integer") return;
      const { type, minimum, maximum, ...rest } = jsonSchema;
      for (const key of ["type", "minimum", "maximum"] as const) delete jsonSchema[key];
      const whole = {
        type,
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
      };
      Object.assign(jsonSchema, rest, { anyOf: [whole, { type: "string", pattern: REFERENCE }] });
    },
  });
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

let known: JsonObject | null = null;

/** The schema of one place, or null where nothing is known of it. `data` tells which alternative holds, by its `type`. */
export function nodeAt(at: Path, data: unknown): JsonObject | null {
  known ??= configJsonSchema();
  let node: JsonObject | null = known;
  let value = data;
  for (const part of at) {
    node = node === null ? null : childOf(chosen(node, value), part);
    value =
      typeof value === "object" && value !== null
        ? Object.entries(value).find(([key]) => key === `${part}`)?.[1]
        : undefined;
  }
  return node === null ? null : chosen(node, value);
}

export function keysOf(node: JsonObject | null): readonly string[] {
  return isJsonObject(node?.properties) ? Object.keys(node.properties) : [];
}

export function isSecretNode(node: JsonObject | null): boolean {
  return node?.writeOnly === true;
}

/** A mapping or a list rather than a single value. */
export function isContainer(node: JsonObject | null): boolean {
  return node === null || ["properties", "additionalProperties", "items", "oneOf"].some((key) => key in node);
}

export function takesNumber(node: JsonObject | null): boolean {
  const alternatives = Array.isArray(node?.anyOf) ? node.anyOf : [];
  return alternatives.some((one) => isJsonObject(one) && (one.type === "integer" || one.type === "number"));
}

/** What the place takes, in words. */
export function allowedAt(node: JsonObject | null): string {
  if (node === null) return "";
  if (isSecretNode(node)) return `\${NAME}, ${String(node.description)}`;
  if (typeof node.description === "string") return node.description;
  if (Array.isArray(node.enum)) return node.enum.join(", ");
  if (node.const !== undefined) return String(node.const);
  if (isJsonObject(node.properties)) return `a mapping of ${keysOf(node).join(", ")}`;
  if (Array.isArray(node.oneOf)) return "a mapping with a type";
  if (node.type === "string") return "text of at least one character";
  return typeof node.type === "string" ? `a value of type ${node.type}` : "";
}

function childOf(node: JsonObject, part: string | number): JsonObject | null {
  if (typeof part === "number") return asNode(node.items);
  const properties = isJsonObject(node.properties) ? node.properties : {};
  return Object.hasOwn(properties, part) ? asNode(properties[part]) : asNode(node.additionalProperties);
}

/** Of several alternatives the one whose `type` is the value's; the only one, if there is one. */
function chosen(node: JsonObject, value: unknown): JsonObject {
  if (!Array.isArray(node.oneOf)) return node;
  const alternatives = node.oneOf.filter(isJsonObject);
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  const found = alternatives.find(({ properties }) => constOf(properties) === type);
  return found ?? (alternatives.length === 1 && alternatives[0] ? alternatives[0] : { oneOf: alternatives });
}

function constOf(properties: JsonValue | undefined): JsonValue | undefined {
  const type = isJsonObject(properties) ? properties.type : undefined;
  return isJsonObject(type) ? type.const : undefined;
}

function asNode(value: JsonValue | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}
