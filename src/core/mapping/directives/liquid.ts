/** `@liquid`: a Liquid template, parsed once, kept from files, loops, randomness, the clock and too much of anything. */

import { isJsonObject, type JsonValue } from "../../json.ts";
import {
  complain,
  complainUnlessSegment,
  describe,
  type Expression,
  refusalAt,
  type Scope,
  suggestion,
} from "../scope.ts";
import { type LiquidEngine, liquidEngine, REFUSED_FILTERS, strictLiquidEngine } from "./liquid-engine.ts";

const MAX_CHARACTERS = 1000;

/** Always a text; what is missing in it is empty. */
export function compileLiquid(argument: unknown, scope: Scope): Expression {
  if (typeof argument !== "string") return complain(scope, `found ${describe(argument)}; a text is allowed`);
  if (argument.length > MAX_CHARACTERS)
    return complain(scope, `found ${argument.length} characters; ${MAX_CHARACTERS} are allowed`);
  const engine = liquidEngine();
  try {
    checkFilters(argument, scope);
    return renderer(argument, engine, scope);
  } catch (thrown) {
    return complain(scope, reasonOf(thrown));
  }
}

function renderer(text: string, engine: LiquidEngine, scope: Scope): Expression {
  const render = engine.compile(text);
  // These count in the data itself.
  const writes = /(in|de)crement/.test(text);
  const refuse = refusalAt(scope);
  return (data, run) => {
    try {
      return render(writes ? { ...readable(data) } : readable(data), run.receivedAt);
    } catch (thrown) {
      return refuse(run, `a template that fails: ${reasonOf(thrown)}`, "a template that can be rendered is needed");
    }
  };
}

function readable(data: JsonValue | undefined): object {
  return isJsonObject(data) || Array.isArray(data) ? data : {};
}

/** @throws what the template itself has wrong. */
function checkFilters(text: string, scope: Scope): void {
  try {
    strictLiquidEngine().compile(text);
  } catch (thrown) {
    const name = /undefined filter: (\w+)/.exec(reasonOf(thrown))?.[1];
    if (name === undefined) throw thrown;
    if (REFUSED_FILTERS.has(name)) return void complain(scope, `the filter "${name}" is not allowed`);
    const near = suggestion(name, strictLiquidEngine().filters);
    complainUnlessSegment(scope, `unknown filter "${name}": it would change nothing.${near}`);
  }
}

function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.split("\n", 1)[0] ?? message;
}
