/** Values as YAML the way mappings are written by hand: on one line where it fits, else key by key. */

import { isJsonObject, type JsonValue } from "../json.ts";

const WIDTH = 120;

/** `key: value` at this indentation, without a line end. Objects of a list get a line each. */
export function yamlPair(key: string, value: JsonValue, indent: number): string {
  const line = `${yamlScalar(key)}: ${yamlFlow(value)}`;
  if ((fits(line, indent) && !holdsObjects(value)) || isSmall(value)) return line;
  return `${yamlScalar(key)}:\n${" ".repeat(indent + 2)}${yamlBlock(value, indent + 2)}`;
}

/** A value, also as an item of a list; its first line is already indented. */
export function yamlBlock(value: JsonValue, indent: number): string {
  const flow = yamlFlow(value);
  if (isSmall(value) || (fits(flow, indent) && !holdsObjects(value))) return flow;
  const next = `\n${" ".repeat(indent)}`;
  if (Array.isArray(value)) return value.map((item) => `- ${yamlBlock(item, indent + 2)}`).join(next);
  return Object.entries(value ?? {})
    .map(([key, inner]) => yamlPair(key, inner, indent))
    .join(next);
}

/** On one line. */
export function yamlFlow(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(yamlFlow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return yamlScalar(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${yamlScalar(key)}: ${yamlFlow(inner)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** Unquoted only where no reader of YAML could take it for anything else. */
const PLAIN = /^[A-Za-z$_](?:[\w $./-]*[\w$./-])?$/;
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

function yamlScalar(value: JsonValue): string {
  return typeof value === "string" && PLAIN.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}

function fits(line: string, indent: number): boolean {
  return line.length + indent <= WIDTH;
}

function isSmall(value: JsonValue): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

function holdsObjects(value: JsonValue): boolean {
  return Array.isArray(value) && value.some(isJsonObject);
}
