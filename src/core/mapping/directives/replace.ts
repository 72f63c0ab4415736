/** `@replace`: every occurrence of a text replaced by another. Source: facts on Segment, 5.3. */

import type { JsonValue } from "../../json.ts";
import { complain, type Expression, inside, nothing, type Scope } from "../scope.ts";
import { type Arguments, readArguments } from "./arguments.ts";

const LONGEST = 10;

type Step = (text: string) => string;

/** A list or an object has no text: it gives an empty one. Segment gives nothing for a falsy value written out. */
export function compileReplace(argument: unknown, scope: Scope): Expression {
  const optional = ["replacement", "pattern2", "replacement2", "ignorecase", "global"];
  const given = readArguments(argument, scope, { needed: ["value", "pattern"], optional });
  if (!given) return nothing;
  const flags = `${given.flag("global", true) ? "g" : ""}${given.flag("ignorecase", false) ? "i" : ""}`;
  if (given.raw("pattern") === "") complain(inside(scope, "pattern"), "an empty pattern is not allowed");
  const steps = [
    compileStep(given, scope, { pattern: "pattern", replacement: "replacement", flags }),
    compileStep(given, scope, { pattern: "pattern2", replacement: "replacement2", flags }),
  ].filter((step) => step !== null);
  const value = given.value("value");
  if (scope.dialect === "segment" && !given.raw("value")) return nothing;
  return (data, run) => {
    let text = scalarText(value(data, run));
    for (const step of steps) text = step(text);
    return text;
  };
}

/** Null for no pattern. `$&` in a replacement is what was found for Segment, and itself otherwise. */
function compileStep(
  given: Arguments,
  scope: Scope,
  { pattern, replacement, flags }: { readonly pattern: string; readonly replacement: string; readonly flags: string },
): Step | null {
  if (scope.dialect === "segment" && isIgnoredBySegment(given.raw(pattern), given.raw(replacement))) return null;
  const [found, instead] = [
    given.text(pattern, ""),
    given.raw(replacement) === null ? "" : given.text(replacement, ""),
  ];
  for (const [key, text] of [[pattern, found] as const, [replacement, instead] as const]) {
    if (text.length > LONGEST) complain(inside(scope, key), `at most ${LONGEST} characters are allowed`);
  }
  if (found === "") return null;
  const search = new RegExp(found.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags);
  if (scope.dialect === "segment") return (text) => text.replace(search, instead);
  return (text) => text.replace(search, () => instead);
}

function isIgnoredBySegment(pattern: unknown, replacement: unknown): boolean {
  return (
    typeof pattern !== "string" ||
    (replacement !== undefined && replacement !== null && typeof replacement !== "string")
  );
}

function scalarText(value: JsonValue | undefined): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
