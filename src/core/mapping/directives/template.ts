/** `@template`: text with `{{path}}` in it. Source: facts on Segment, 5.3. */

import type { JsonValue } from "../../json.ts";
import { compilePath, compileSegmentPath } from "../path.ts";
import { complain, describe, type Expression, refusalAt, type Scope } from "../scope.ts";
import { placeholdersIn } from "./placeholders.ts";
import { LONGEST_TEXT, tooLongAt } from "./too-long.ts";

type Put = (data: JsonValue | undefined) => string;

/** Null: the text would be longer than any that is allowed. */
type Render = (data: JsonValue | undefined) => string | null;

/** The text may itself be computed; then it is compiled when it is known. */
export function compileTemplate(argument: unknown, scope: Scope): Expression {
  const compile = scope.dialect === "segment" ? compileSegmentTemplate : compilePrickleTemplate;
  const tooLong = tooLongAt(scope);
  if (typeof argument === "string") {
    const render = compile(argument);
    return (data, run) => render(data) ?? tooLong(run);
  }
  if (typeof argument !== "object" || argument === null)
    return complain(scope, `found ${describe(argument)}; a text is allowed`);
  const text = scope.compile(argument, scope);
  const refuse = refusalAt(scope);
  return (data, run) => {
    const template = text(data, run);
    if (typeof template === "string") return compile(template)(data) ?? tooLong(run);
    return scope.dialect === "segment" ? refuse(run, describe(template), "a text is allowed") : undefined;
  };
}

/** Null and missing give nothing; what is put in is not looked through for placeholders again. */
function compilePrickleTemplate(template: string): Render {
  const parts = template.split(/\{\{(\{[^{}]*\}|[^{}]*)\}\}/);
  return joined(parts, readPlaceholder);
}

function readPlaceholder(placeholder: string): Put {
  const read = compilePath(placeholder.replace(/^\{|\}$/g, "").trim(), "prickle");
  return (data) => {
    const value = read(data);
    if (value === undefined || value === null) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  };
}

/** Two passes, so that a text inserted by `{{{a}}}` can bring placeholders of its own. Without such, one pass is enough. */
function compileSegmentTemplate(template: string): Render {
  const triple = placeholdersIn(template, "{{{", "}}}");
  if (triple.length === 1) return compileDoubles(template);
  const first = joined(triple, readSegmentPlaceholder);
  return (data) => {
    const text = first(data);
    return text === null ? null : compileDoubles(text)(data);
  };
}

function compileDoubles(template: string): Render {
  return joined(placeholdersIn(template, "{{", "}}"), readSegmentPlaceholder);
}

/** Paths take no `$.` here. An object that has a `toString` of its own cannot be made text: it gives nothing. */
function readSegmentPlaceholder(path: string): Put {
  const read = compileSegmentPath(path.trim());
  return (data) => {
    const value = read(data === undefined ? {} : data) ?? "";
    if (typeof value === "string") return value;
    try {
      return String(value);
    } catch {
      return "";
    }
  };
}

/** Text and placeholders by turns. */
function joined(parts: readonly string[], compile: (placeholder: string) => Put): Render {
  const compiled = new Map<string, Put>();
  const puts = parts.map((part, index): Put => {
    if (index % 2 === 0) return () => part;
    const put = compiled.get(part) ?? compile(part);
    compiled.set(part, put);
    return put;
  });
  return (data) => {
    let text = "";
    for (const put of puts) {
      text += put(data);
      if (text.length > LONGEST_TEXT) return null;
    }
    return text;
  };
}
