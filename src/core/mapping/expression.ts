/** A value of a mapping, compiled: raw values are copied, an object with one `@` key is a directive. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { DIRECTIVES } from "./directives.ts";
import { compileRootDirective, hasRootDirective, ROOT_DIRECTIVE } from "./root-directive.ts";
import { complain, complainUnlessSegment, type Expression, inside, type Scope, suggestion } from "./scope.ts";

const DEEPEST = 64;

/** Where compiling a file begins: at its top. */
export function rootScope(
  given: Pick<Scope, "dialect" | "comparesSegment" | "problems" | "file" | "environment" | "groupTypes" | "groupReads">,
): Scope {
  const compilers = { compile: compileExpression, literal: compileLiteral };
  return { ...given, ...compilers, at: [], rule: "", keepsMissing: false };
}

/** Compiles what stands at the top of an output's part, where Segment's root directive may stand too. */
export function compilePart(value: unknown, scope: Scope): Expression {
  return isJsonObject(value) && hasRootDirective(value)
    ? compileRootDirective(value, scope)
    : compileExpression(value, scope);
}

/** Compiles a value as the mapping file has it; what is wrong in it is added to the problems of the scope. */
function compileExpression(value: unknown, scope: Scope): Expression {
  if (scope.at.length > DEEPEST) return complain(scope, `nested deeper than ${DEEPEST} levels`);
  if (Array.isArray(value)) return compileList(value, scope, compileExpression);
  if (!isJsonObject(value)) return compileScalar(value, scope);
  if (isDirective(value)) return compileDirective(value, scope);
  if (hasRootDirective(value))
    complainUnlessSegment(inside(scope, ROOT_DIRECTIVE), "the root directive works at the top of an output only");
  return compileObject(value, scope, compileExpression);
}

/** Compiles a value to itself, whatever looks like a directive in it. */
function compileLiteral(value: unknown, scope: Scope): Expression {
  if (scope.at.length > DEEPEST) return complain(scope, `nested deeper than ${DEEPEST} levels`);
  if (Array.isArray(value)) return compileList(value, scope, compileLiteral);
  return isJsonObject(value) ? compileObject(value, scope, compileLiteral) : compileScalar(value, scope);
}

type Compile = (value: unknown, scope: Scope) => Expression;

function isDirective(value: JsonObject): boolean {
  return Object.keys(value).some((key) => key.startsWith("@"));
}

function compileDirective(value: JsonObject, scope: Scope): Expression {
  const names = Object.keys(value).filter((key) => key !== "_metadata");
  const [name = ""] = names;
  if (names.length > 1) {
    return complain(scope, `found ${names.length} keys (${names.join(", ")}); a directive stands alone in its object`);
  }
  const directive = DIRECTIVES.get(name);
  if (directive) return directive(value[name], inside(scope, name));
  const known = [...DIRECTIVES.keys()];
  return complain(inside(scope, name), `unknown directive; ${known.join(", ")} are allowed.${suggestion(name, known)}`);
}

function compileScalar(value: unknown, scope: Scope): Expression {
  if (value === null || typeof value === "string" || typeof value === "boolean") return () => value;
  if (typeof value === "number" && Number.isFinite(value)) return () => value;
  return complain(scope, "found a value that JSON does not have");
}

/** What is missing becomes null, as in JSON: the others keep their places. */
function compileList(values: readonly unknown[], scope: Scope, compile: Compile): Expression {
  const items = values.map((value, index) => compile(value, inside(scope, index)));
  if (scope.keepsMissing) return (data, run) => items.map((item) => item(data, run) as JsonValue);
  return (data, run) => items.map((item) => item(data, run) ?? null);
}

/** What is missing is left out. */
function compileObject(value: JsonObject, scope: Scope, compile: Compile): Expression {
  if (Object.hasOwn(value, "__proto__")) return complain(inside(scope, "__proto__"), "this key is not allowed");
  const fields = Object.entries(value).map(([key, field]) => ({ key, read: compile(field, inside(scope, key)) }));
  const { keepsMissing } = scope;
  return (data, run) => {
    const object: JsonObject = {};
    for (const { key, read } of fields) {
      const found = read(data, run);
      // Where missing values are kept, whoever asked for that takes them out again.
      if (found !== undefined || keepsMissing) object[key] = found as JsonValue;
    }
    return object;
  };
}
