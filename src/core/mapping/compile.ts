/** From the text of a mapping file to a mapping, or to every problem of it. */

import type * as z from "zod";
import { PrickleError } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { rootScope } from "./expression.ts";
import { type MappingFile, mappingFileSchema, ruleSchema } from "./file-schema.ts";
import type { Mapping } from "./mapping.ts";
import { type MappingProblem, mappingProblemLine, readMappingText } from "./mapping-text.ts";
import { applyRules, checkGroupTypes, checkReachable, compileRule } from "./rules.ts";
import { describe, inside, type PlacedProblem, suggestion } from "./scope.ts";

export type { MappingProblem } from "./mapping-text.ts";

export interface MappingSource {
  /** Name of the file without its ending. */
  readonly name: string;
  readonly text: string;
  /** As problems shall name it. */
  readonly file: string;
}

/** @throws MAPPING_INVALID with every problem, one a line, each with file, line and column. */
export function compileMapping(source: MappingSource): Mapping {
  const compiled = compileText(source);
  if ("mapping" in compiled) return compiled.mapping;
  const listed = compiled.problems.map(mappingProblemLine).join("\n");
  throw new PrickleError("MAPPING_INVALID", `The mapping ${source.file} is wrong:\n${listed}`, {
    hint: "Mend each place named; `prickle check` prints the same list.",
  });
}

/** Every problem of a mapping file, in the order of its lines; none means that it compiles. Never throws. */
export function checkMapping(text: string, file: string): readonly MappingProblem[] {
  const compiled = compileText({ name: file, text, file });
  return "problems" in compiled ? compiled.problems : [];
}

type Compiled = { readonly mapping: Mapping } | { readonly problems: readonly MappingProblem[] };

function compileText({ name, text, file }: MappingSource): Compiled {
  const read = readMappingText(text, file);
  if ("problems" in read) return read;
  const problems: PlacedProblem[] = [];
  const parsed = mappingFileSchema.safeParse(read.content);
  if (!parsed.success) {
    problems.push(...firstOfEachPlace(parsed.error.issues).flatMap((issue) => placeIssue(issue, read.content)));
    checkReadableRules(read.content, problems);
    return { problems: read.place(problems) };
  }
  const mapping = compileFile(name, parsed.data, problems);
  return problems.length === 0 ? { mapping } : { problems: read.place(problems) };
}

function compileFile(name: string, file: MappingFile, problems: PlacedProblem[]): Mapping {
  const scope = rootScope(file.dialect, problems);
  checkGroupTypes(file.groupTypes, scope);
  const groupTypes = new Set(file.groupTypes);
  const rules = file.rules.map((rule, index) => compileRule(rule, inside(scope, "rules", index), groupTypes));
  checkReachable(file.rules, scope);
  return { name, groupTypes: file.groupTypes, apply: ({ payload }) => applyRules(rules, payload) };
}

/** A file whose form is wrong in one place is still looked through: every problem is said at once. */
function checkReadableRules(content: unknown, problems: PlacedProblem[]): void {
  if (!isJsonObject(content) || !Array.isArray(content.rules)) return;
  const scope = rootScope("prickle", problems);
  for (const [index, rule] of content.rules.entries()) {
    const parsed = ruleSchema.safeParse(rule);
    if (parsed.success) compileRule(parsed.data, inside(scope, "rules", index), new Set());
  }
}

/** A value of the wrong kind fails further checks as well; one problem says enough. */
function firstOfEachPlace(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const placeOf = ({ path }: z.core.$ZodIssue) => path.join("\0");
  return issues.filter((issue, index) => issues.findIndex((other) => placeOf(other) === placeOf(issue)) === index);
}

function placeIssue(issue: z.core.$ZodIssue, content: unknown): readonly PlacedProblem[] {
  const at = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code !== "unrecognized_keys") {
    return [{ at, message: `found ${describe(valueAt(content, at))}; ${allowedBy(issue)}.` }];
  }
  const allowed = keysAt(at);
  return issue.keys.map((key) => ({
    at: [...at, key],
    message: `unknown key; ${allowed.join(", ")} are allowed.${suggestion(key, allowed)}`,
  }));
}

function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `${KINDS[issue.expected] ?? `a value of type ${issue.expected}`} is needed`;
    case "invalid_value":
      return `${issue.values.join(", ")} are allowed`;
    case "too_small":
      return "at least one is needed";
    case "too_big":
      return `at most ${issue.maximum} are allowed`;
    default:
      return issue.message;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  object: "an object",
  string: "text",
  nonoptional: "a value",
};

const PARTS = ruleSchema.shape;

/** What may stand at a place of the file's own form. */
function keysAt(at: PlacedProblem["at"]): readonly string[] {
  switch (at.at(-1)) {
    case undefined:
      return Object.keys(mappingFileSchema.shape);
    case "groupIdentify":
      return Object.keys(PARTS.groupIdentify.unwrap().shape);
    case "event":
      return Object.keys(PARTS.event.unwrap().shape);
    case "reject":
      return Object.keys(PARTS.reject.unwrap().shape);
    default:
      return Object.keys(PARTS);
  }
}

function valueAt(content: unknown, at: PlacedProblem["at"]): unknown {
  return at.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, part)?.value : undefined,
    content,
  );
}
