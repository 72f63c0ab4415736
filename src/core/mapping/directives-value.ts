/** Directives that give one value: @if, @coalesce, @case, @template, @replace. Source: facts on Segment, 5.3. */

import { isJsonObject, type JsonValue } from "../json.ts";
import { readArguments } from "./arguments.ts";
import { compilePath } from "./path.ts";
import { complain, describe, type Expression, inside, nothing, type Scope } from "./scope.ts";

/** `exists`: not null and not missing. `blank`: Segment's word for "is not blank". `exists` wins over `blank`. */
export function compileIf(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: [], optional: ["exists", "blank", "then", "else"] });
  if (!given) return nothing;
  if (!given.raw("exists") && !given.raw("blank")) return complain(scope, '"exists" or "blank" is missing');
  const byExistence = Boolean(given.raw("exists"));
  const subject = given.value(byExistence ? "exists" : "blank");
  const holds = byExistence ? exists : scope.dialect === "segment" ? isFilledForSegment : isFilled;
  const yes = given.value("then");
  const droppedElse = scope.dialect === "segment" && !given.raw("else");
  const no = droppedElse ? nothing : given.value("else");
  return (data) => (holds(subject(data)) ? yes(data) : no(data));
}

/** The first value that is neither missing, nor null, nor an empty text. */
export function compileCoalesce(argument: unknown, scope: Scope): Expression {
  if (!Array.isArray(argument)) return complain(scope, `found ${describe(argument)}; a list of values is allowed`);
  const choices = argument.map((choice, index) => scope.compile(choice, inside(scope, index)));
  return (data) => {
    for (const choice of choices) {
      const value = choice(data);
      if (isFilled(value)) return value;
    }
    return undefined;
  };
}

export function compileCase(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["operator", "value"] });
  if (!given) return nothing;
  const operator = given.word("operator", ["lower", "upper"], "lower");
  const value = given.value("value");
  return (data) => {
    const found = value(data);
    if (typeof found !== "string") return found;
    return operator === "lower" ? found.toLowerCase() : found.toUpperCase();
  };
}

/** `Hi {{traits.name}}`: null and missing give nothing; what is put in is not looked through for placeholders again. */
export function compileTemplate(argument: unknown, scope: Scope): Expression {
  if (typeof argument !== "string") return complain(scope, `found ${describe(argument)}; a text is allowed`);
  if (scope.dialect === "segment") return (data) => renderLikeSegment(argument, data);
  const parts = argument.split(/\{\{\{?\s*(.*?)\s*\}?\}\}/);
  const reads = parts.map((part, index) => (index % 2 === 1 ? compilePath(part, scope.dialect) : () => part));
  return (data) => reads.map((read) => textOf(read(data))).join("");
}

/** Two passes, so that a text inserted by `{{{a}}}` can bring placeholders of its own; paths take no `$.`. */
function renderLikeSegment(template: string, data: JsonValue | undefined): string {
  const fill = (_match: string, path: string) =>
    path.includes("$.") ? "" : textOf(compilePath(path, "segment")(data), String);
  return template
    .replace(/\{\{\{([^{}]*)\}\}\}/g, (match, path: string) => fill(match, path.trim()))
    .replace(/\{\{([^{}]*)\}\}/g, (match, path: string) => fill(match, path.trim()));
}

export function compileReplace(argument: unknown, scope: Scope): Expression {
  const optional = ["replacement", "pattern2", "replacement2", "ignorecase", "global"];
  const given = readArguments(argument, scope, { needed: ["value", "pattern"], optional });
  if (!given) return nothing;
  const flags = `${given.flag("global", true) ? "g" : ""}${given.flag("ignorecase", false) ? "i" : ""}`;
  const steps = [
    ["pattern", "replacement"],
    ["pattern2", "replacement2"],
  ].flatMap(([pattern = "", replacement = ""]) => {
    const text = given.text(pattern, "");
    if (text === "" && given.has(pattern)) complain(inside(scope, pattern), "an empty pattern is not allowed");
    for (const key of [pattern, replacement])
      if (given.text(key, "").length > 10) complain(inside(scope, key), "at most 10 characters are allowed");
    return text === ""
      ? []
      : [
          {
            pattern: new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags),
            replacement: given.text(replacement, ""),
          },
        ];
  });
  const value = given.value("value");
  const literally = scope.dialect === "prickle";
  return (data) => {
    let text = scalarText(value(data));
    for (const { pattern, replacement } of steps)
      text = literally ? text.replace(pattern, () => replacement) : text.replace(pattern, replacement);
    return text;
  };
}

function exists(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null;
}

function isFilled(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** Loose equality, as Segment has it: 0, false and [] are blank too. */
function isFilledForSegment(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0 && (value.length > 1 || isFilled(value[0]));
  return isFilled(value) && value !== 0 && value !== false;
}

function scalarText(value: JsonValue | undefined): string {
  return isJsonObject(value) || Array.isArray(value) ? "" : textOf(value);
}

function textOf(value: JsonValue | undefined, otherwise: (value: JsonValue) => string = JSON.stringify): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : otherwise(value);
}
