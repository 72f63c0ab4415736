/** Directives that choose or change one value: @if, @case, @coalesce. Source: facts on Segment, 5.3. */

import type { JsonValue } from "../../json.ts";
import { complain, describe, type Expression, inside, nothing, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";

/** `exists`: not null and not missing. `blank`: Segment's word for "is not blank". `exists` wins over `blank`. */
export function compileIf(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: [], optional: ["exists", "blank", "then", "else"] });
  if (!given) return nothing;
  if (!given.raw("exists") && !given.raw("blank")) return complain(scope, '"exists" or "blank" is missing');
  const isSegment = scope.dialect === "segment";
  const byExistence = isSegment ? given.has("exists") : Boolean(given.raw("exists"));
  const subject = given.value(byExistence ? "exists" : "blank");
  const holds = byExistence ? exists : isSegment ? isFilledForSegment : isFilled;
  const yes = given.value("then");
  const no = isSegment && !given.raw("else") ? nothing : given.value("else");
  return (data, run) => (holds(subject(data, run)) ? yes(data, run) : no(data, run));
}

/** The first value that is neither missing, nor null, nor an empty text. */
export function compileCoalesce(argument: unknown, scope: Scope): Expression {
  if (!Array.isArray(argument)) return complain(scope, `found ${describe(argument)}; a list of values is allowed`);
  const choices = argument.map((choice, index) => scope.compile(choice, inside(scope, index)));
  return (data, run) => {
    for (const choice of choices) {
      const value = choice(data, run);
      if (isFilled(value)) return value;
    }
    return undefined;
  };
}

/** Segment gives nothing for a falsy value written out. */
export function compileCase(argument: unknown, scope: Scope): Expression {
  const isSegment = scope.dialect === "segment";
  const forms = isSegment
    ? { needed: ["operator"], optional: ["value"] }
    : { needed: ["operator", "value"], optional: [] };
  const given = readArguments(argument, scope, forms);
  if (!given) return nothing;
  const operator = given.word("operator", ["lower", "upper"], "lower");
  const value = given.value("value");
  if (isSegment && !given.raw("value")) return nothing;
  return (data, run) => {
    const found = value(data, run);
    if (typeof found !== "string") return found;
    return operator === "lower" ? found.toLowerCase() : found.toUpperCase();
  };
}

function exists(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null;
}

function isFilled(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** Loose equality with "", as Segment has it: 0, false, [] and [[""]] are blank too. */
function isFilledForSegment(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return String(value) !== "";
  return isFilled(value) && value !== 0 && value !== false;
}
