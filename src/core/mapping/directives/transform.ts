/** `@transform`: a mapping that reads what another made. Source: facts on Segment, 5.3. */

import { isJsonObject } from "../../json.ts";
import { compileRootDirective, hasRootDirective } from "../root-directive.ts";
import { complain, describe, type Expression, inside, nothing, type Refuse, refusalAt, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";
import { keepingMissing, settle, settleObjects } from "./missing.ts";

/** The mapping reads what `apply` made instead of the record. */
export function compileTransform(argument: unknown, scope: Scope): Expression {
  const within = keepingMissing(scope);
  const given = readArguments(argument, within, { needed: ["apply", "mapping"] });
  if (!given) return nothing;
  const [raw, at] = [given.raw("apply"), inside(within, "apply")];
  const apply = isJsonObject(raw) && hasRootDirective(raw) ? compileRootDirective(raw, at) : scope.compile(raw, at);
  const mapping = given.value("mapping");
  if (scope.dialect === "prickle") return (data, run) => mapping(apply(data, run), run);
  for (const key of ["apply", "mapping"])
    if (!isJsonObject(given.raw(key)))
      complain(inside(scope, key), `found ${describe(given.raw(key))}; an object is allowed`);
  return settle(transformLikeSegment(settleObjects(apply), mapping, refusalAt(scope)), scope);
}

function transformLikeSegment(apply: Expression, mapping: Expression, refuse: Refuse): Expression {
  return (data = {}, run) =>
    isJsonObject(data)
      ? mapping(apply(data, run), run)
      : refuse(run, describe(data), "an object to transform is needed");
}
