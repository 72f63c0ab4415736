/** Reads the argument of a directive that takes an object: which keys there are, which are needed, what is in them. */

import { isJsonObject, type JsonObject } from "../../json.ts";
import {
  complain,
  complainUnlessSegment,
  describe,
  type Expression,
  inside,
  nothing,
  type Scope,
  suggestion,
} from "../scope.ts";

export interface Arguments {
  has(key: string): boolean;
  /** As the mapping has it. */
  raw(key: string): unknown;
  /** Compiled; nothing when the key is absent. */
  value(key: string): Expression;
  /** One of the words, or the fallback when absent. */
  word<Word extends string>(key: string, words: readonly Word[], fallback: Word): Word;
  text(key: string, fallback: string): string;
  flag(key: string, fallback: boolean): boolean;
  /** Null, with a problem noted, when it is no list of texts. */
  texts(key: string): readonly string[] | null;
  /** An object as the mapping has it; null when the key is absent, or, with a problem noted, when it is none. */
  table(key: string): JsonObject | null;
}

/** Null, with a problem noted, when the argument is no object; unknown and missing keys are noted too. */
export function readArguments(
  argument: unknown,
  scope: Scope,
  { needed, optional = [] }: { readonly needed: readonly string[]; readonly optional?: readonly string[] },
): Arguments | null {
  const allowed = [...needed, ...optional];
  if (!isJsonObject(argument)) {
    complain(scope, `found ${describe(argument)}; an object with ${allowed.join(", ")} is allowed`);
    return null;
  }
  for (const key of Object.keys(argument)) {
    if (!allowed.includes(key) && key !== "_metadata") {
      complainUnlessSegment(
        inside(scope, key),
        `unknown key; ${allowed.join(", ")} are allowed.${suggestion(key, allowed)}`,
      );
    }
  }
  for (const key of needed) if (!Object.hasOwn(argument, key)) complain(scope, `"${key}" is missing`);
  return reader(argument, scope);
}

function reader(argument: JsonObject, scope: Scope): Arguments {
  const has = (key: string) => Object.hasOwn(argument, key);
  const raw = (key: string): unknown => (has(key) ? argument[key] : undefined);
  return {
    has,
    raw,
    value: (key) => (has(key) ? scope.compile(raw(key), inside(scope, key)) : nothing),
    word(key, words, fallback) {
      if (!has(key)) return fallback;
      const found = words.find((word) => word === raw(key));
      if (found !== undefined) return found;
      complain(inside(scope, key), `found ${describe(raw(key))}; ${words.join(", ")} are allowed`);
      return fallback;
    },
    text(key, fallback) {
      const found = raw(key);
      if (typeof found === "string") return found;
      if (found !== undefined) complain(inside(scope, key), `found ${describe(found)}; a text is allowed`);
      return fallback;
    },
    flag(key, fallback) {
      const found = raw(key);
      if (typeof found === "boolean") return found;
      if (found !== undefined) complain(inside(scope, key), `found ${describe(found)}; true or false is allowed`);
      return fallback;
    },
    texts(key) {
      const found = raw(key);
      if (Array.isArray(found) && found.every((one) => typeof one === "string")) return found;
      if (has(key)) complain(inside(scope, key), `found ${describe(found)}; a list of texts is allowed`);
      return null;
    },
    table(key) {
      const found = raw(key);
      if (isJsonObject(found)) return found;
      if (has(key)) complain(inside(scope, key), `found ${describe(found)}; an object is allowed`);
      return null;
    },
  };
}
