/** prickle's own directives over property bags, by their keys as they are, dots included: @pick, @omit, @rename. */

import { isJsonObject, type JsonObject } from "../../json.ts";
import { setOwn } from "../own.ts";
import { complain, describe, type Expression, inside, nothing, type Scope } from "../scope.ts";
import { type Arguments, readArguments } from "./arguments.ts";
import { renameTo } from "./key-case.ts";

/** Only these keys, in the order of the bag. What is no object passes. */
export function compilePick(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "keys"] });
  const keys = new Set(given?.texts("keys"));
  return given ? filtered(given, (key) => keys.has(key)) : nothing;
}

/** Without these keys. */
export function compileOmit(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "keys"] });
  const keys = new Set(given?.texts("keys"));
  return given ? filtered(given, (key) => !keys.has(key)) : nothing;
}

function filtered(given: Arguments, keeps: (key: string) => boolean): Expression {
  const value = given.value("value");
  return (data, run) => {
    const found = value(data, run);
    if (!isJsonObject(found)) return found;
    const keys = Object.keys(found);
    if (keys.every(keeps)) return found;
    const kept: JsonObject = {};
    for (const key of keys) if (keeps(key)) setOwn(kept, key, found[key]);
    return kept;
  };
}

/** First by the table, then by the case for keys not in it. Of two that come to one name the later wins. */
export function compileRename(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value"], optional: ["keys", "case"] });
  if (!given) return nothing;
  if (!given.has("keys") && !given.has("case")) return complain(scope, '"keys" or "case" is missing');
  const table = namesOf(given, scope);
  const convert = given.has("case") ? renameTo(given.word("case", ["snake", "camel"], "snake")) : (key: string) => key;
  const value = given.value("value");
  return (data, run) => {
    const found = value(data, run);
    if (!isJsonObject(found)) return found;
    const renamed: JsonObject = {};
    for (const key of Object.keys(found)) setOwn(renamed, table.get(key) ?? convert(key), found[key]);
    return renamed;
  };
}

function namesOf(given: Arguments, scope: Scope): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [key, name] of Object.entries(given.table("keys") ?? {})) {
    if (typeof name === "string" && name !== "") names.set(key, name);
    else complain(inside(scope, "keys", key), `found ${describe(name)}; a text is allowed`);
  }
  return names;
}
