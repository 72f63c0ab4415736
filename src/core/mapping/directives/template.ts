/** `@template`: text with `{{path}}` in it. Source: facts on Segment, 5.3. */

import type { JsonValue } from "../../json.ts";
import { compilePath, compileSegmentPath } from "../path.ts";
import { complain, describe, type Expression, refusalAt, type Scope } from "../scope.ts";

type Render = (data: JsonValue | undefined) => string;

/** The text may itself be computed; then it is compiled when it is known. */
export function compileTemplate(argument: unknown, scope: Scope): Expression {
  const compile = scope.dialect === "segment" ? compileSegmentTemplate : compilePrickleTemplate;
  if (typeof argument === "string") return compile(argument);
  if (typeof argument !== "object" || argument === null)
    return complain(scope, `found ${describe(argument)}; a text is allowed`);
  const text = scope.compile(argument, scope);
  const refuse = refusalAt(scope);
  return (data, run) => {
    const template = text(data, run);
    if (typeof template === "string") return compile(template)(data);
    return scope.dialect === "segment" ? refuse(run, describe(template), "a text is allowed") : undefined;
  };
}

/** Null and missing give nothing; what is put in is not looked through for placeholders again. */
function compilePrickleTemplate(template: string): Render {
  const parts = template.split(/\{\{(\{[^{}]*\}|[^{}]*)\}\}/);
  const reads = parts.map((part, index) => (index % 2 === 0 ? () => part : readPlaceholder(part)));
  return (data) => reads.map((read) => read(data)).join("");
}

function readPlaceholder(placeholder: string): Render {
  const read = compilePath(placeholder.replace(/^\{|\}$/g, "").trim(), "prickle");
  return (data) => {
    const value = read(data);
    if (value === undefined || value === null) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  };
}

const TRIPLE = /\{\{\{([^}]+)\}\}\}/;
const DOUBLE = /\{\{([^}]+)\}\}/;

/** Two passes, so that a text inserted by `{{{a}}}` can bring placeholders of its own. Without such, one pass is enough. */
function compileSegmentTemplate(template: string): Render {
  const first = compilePass(template, TRIPLE);
  if (!TRIPLE.test(template)) return compilePass(template, DOUBLE);
  return (data) => compilePass(first(data), DOUBLE)(data);
}

function compilePass(template: string, placeholder: RegExp): Render {
  const parts = template.split(placeholder);
  const reads = parts.map((part, index): Render => (index % 2 === 0 ? () => part : compileSegmentPlaceholder(part)));
  return (data) => reads.map((read) => read(data)).join("");
}

/** Paths take no `$.` here. An object that has a `toString` of its own cannot be made text: it gives nothing. */
function compileSegmentPlaceholder(path: string): Render {
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
