/** The functions of FQL. On a value of another kind they give what they give on null. Source: facts on Segment, 6.1. */

import type { JsonValue } from "../../json.ts";
import type { Read } from "../path.ts";
import { matchesGlob } from "./glob.ts";
import type { FqlFunction } from "./tree.ts";

type Value = JsonValue | undefined;

export const FUNCTIONS: Readonly<Record<FqlFunction, (first: Read, second: Read) => Read>> = {
  contains: onTwoTexts((text, part) => text.includes(part)),
  match: onTwoTexts(matchesGlob),
  length: on((value) =>
    Array.isArray(value) ? value.length : typeof value === "string" ? Buffer.byteLength(value) : 0,
  ),
  lowercase: onText((text) => text.toLowerCase()),
  uppercase: onText((text) => text.toUpperCase()),
  snakecase: onText((text) => text.replaceAll(" ", "_")),
  kebabcase: onText((text) => text.replaceAll(" ", "-")),
  titlecase: onText((text) => text.toLowerCase().replace(/(^|\s)\S/g, (start) => start.toUpperCase())),
  typeof: on(kindOf),
  bool: on(toBool),
  string: on((value) => (typeof value === "string" ? value : JSON.stringify(value ?? null))),
  number: on(toNumber),
};

function on(give: (value: Value) => JsonValue): (first: Read) => Read {
  return (first) => (data) => give(first(data));
}

function onText(give: (text: string) => JsonValue): (first: Read) => Read {
  return on((value) => (typeof value === "string" ? give(value) : null));
}

function onTwoTexts(give: (a: string, b: string) => boolean): (first: Read, second: Read) => Read {
  return (first, second) => (data) => {
    const [a, b] = [first(data), second(data)];
    return typeof a === "string" && typeof b === "string" && give(a, b);
  };
}

function kindOf(value: Value): string {
  if (value === undefined || value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function toBool(value: Value): boolean {
  return typeof value === "string" ? value !== "" && value.toLowerCase() !== "false" : Boolean(value);
}

function toNumber(value: Value): number | null {
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
