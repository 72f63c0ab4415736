/** `@replace`: every occurrence of a text replaced by another. Source: facts on Segment, 5.3. */

import type { JsonValue } from "../../json.ts";
import { complain, type Expression, inside, nothing, type Scope } from "../scope.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import { LONGEST_TEXT, tooLongAt } from "./too-long.ts";

const LONGEST = 10;

/** Null: the text would be longer than any that is allowed. */
type Step = (text: string) => string | null;

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
  const tooLong = tooLongAt(scope);
  return (data, run) => {
    let text: string | null = scalarText(value(data, run));
    for (const step of steps) text = text === null ? null : step(text);
    return text ?? tooLong(run);
  };
}

/** Null for no pattern. `$&` in a replacement is what was found for Segment, and itself otherwise. */
function compileStep(
  given: Arguments,
  scope: Scope,
  { pattern, replacement, flags }: { readonly pattern: string; readonly replacement: string; readonly flags: string },
): Step | null {
  if (
    scope.dialect === "segment" &&
    pattern !== "pattern" &&
    isIgnoredBySegment(given.raw(pattern), given.raw(replacement))
  )
    return null;
  const [found, instead] = [
    given.text(pattern, ""),
    given.raw(replacement) === null ? "" : given.text(replacement, ""),
  ];
  for (const [key, text] of [[pattern, found] as const, [replacement, instead] as const]) {
    if (text.length > LONGEST) complain(inside(scope, key), `at most ${LONGEST} characters are allowed`);
  }
  if (found === "") return null;
  const search = new RegExp(found.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags);
  const replace: (text: string) => string =
    scope.dialect === "segment"
      ? (text) => text.replace(search, instead)
      : (text) => text.replace(search, () => instead);
  // Segment's "$`" and "$'" put in what stands before and after: the square of the text can come of it.
  const putsTextIn = scope.dialect === "segment" && /\$[`']/.test(instead);
  return (text) => {
    const most = text.length * (putsTextIn ? text.length : LONGEST);
    if (most > LONGEST_TEXT && grown(text, search, instead, putsTextIn) > LONGEST_TEXT) return null;
    return replace(text);
  };
}

/** About as many characters as are put in. */
function grown(text: string, search: RegExp, instead: string, putsTextIn: boolean): number {
  const times = text.match(search)?.length ?? 0;
  return times * (putsTextIn ? text.length : instead.length);
}

/** Of the second pair: the first it checks. */
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
