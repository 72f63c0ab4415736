/** What prickle's own directives give for a value they can do nothing with. */

import type { JsonValue } from "../../json.ts";
import type { Run } from "../run.ts";
import { refusalAt, type Scope } from "../scope.ts";
import type { Arguments } from "./arguments.ts";

/** `refuse`: the output makes no message; `pass`: the value as it is; `null`; `omit`: nothing. */
export type Otherwise = "refuse" | "pass" | "null" | "omit";

/** `found` in words; `allowed` completes "found …; …". */
export type GiveOtherwise = (run: Run, value: JsonValue, found: string) => JsonValue | undefined;

/** Reads `otherwise` of the arguments; YAML's own null is the word too. */
export function readOtherwise(
  given: Arguments,
  scope: Scope,
  { fallback, allowed }: { readonly fallback: Otherwise; readonly allowed: string },
): GiveOtherwise {
  const isNull = given.has("otherwise") && given.raw("otherwise") === null;
  const word = isNull ? "null" : given.word("otherwise", ["refuse", "pass", "null", "omit"], fallback);
  const refuse = refusalAt(scope);
  switch (word) {
    case "refuse":
      return (run, _value, found) => refuse(run, found, allowed);
    case "pass":
      return (_run, value) => value;
    case "null":
      return () => null;
    case "omit":
      return () => undefined;
  }
}
