/** `@hash`: a keyed hash in place of personal data, the same for the same value. prickle's own. */

import { createHmac } from "node:crypto";
import { complain, describe, type Expression, inside, nothing, refusalAt, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";

const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** HMAC-SHA256, in hex, of a text, number or boolean; missing, null and "" give nothing. The key comes from the environment. */
export function compileHash(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value", "key"] });
  if (!given) return nothing;
  const value = given.value("value");
  const key = readKey(given.raw("key"), inside(scope, "key"));
  if (key === null) return nothing;
  const refuse = refusalAt(scope);
  return (data, run) => {
    const found = value(data, run);
    if (found === undefined || found === null || found === "") return undefined;
    if (typeof found === "object") return refuse(run, describe(found), "a text, a number or a boolean is allowed");
    return createHmac("sha256", key).update(String(found)).digest("hex");
  };
}

/** Never shows what stands there: it may be the key itself. */
function readKey(found: unknown, scope: Scope): string | null {
  const name = typeof found === "string" ? REFERENCE.exec(found)?.[1] : undefined;
  if (name === undefined) {
    complain(scope, `found a value that is not shown; \${NAME} of an environment variable is allowed`);
    return null;
  }
  const key = scope.environment.secret(name);
  if (key === null) complain(scope, `the environment variable ${name} is not set`);
  return key;
}
