/** From the text of a mapping file to a mapping, or to every problem of it. */

import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";
import { PrickleError } from "../errors.ts";
import { groupTypeProblem } from "../group.ts";
import type { JsonObject } from "../json.ts";
import type { MessageDraft, MessageProblem } from "../message.ts";
import { rootScope } from "./expression.ts";
import { type MappingFile, mappingFileSchema, type RuleFile } from "./file-schema.ts";
import { type Condition, compileCondition } from "./fql.ts";
import { FqlError } from "./fql-tokens.ts";
import type { Mapping } from "./mapping.ts";
import { compileEvent, compileGroupIdentify, type Output } from "./outputs.ts";
import { complain, describe, inside, type PathSegment, type PlacedProblem, type Scope, suggestion } from "./scope.ts";

export interface MappingSource {
  /** Name of the file without its ending. */
  readonly name: string;
  readonly text: string;
  /** As problems shall name it. */
  readonly file: string;
}

export interface MappingProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the file, as in `rules[2].event.name`; empty for the file as a whole. */
  readonly path: string;
  /** What was found and what is allowed, in one line. */
  readonly message: string;
}

const MAX_CHARACTERS = 1_000_000;

/** @throws MAPPING_INVALID with every problem, one a line, each with file, line and column. */
export function compileMapping(source: MappingSource): Mapping {
  const compiled = compileFile(source);
  if ("mapping" in compiled) return compiled.mapping;
  const listed = compiled.problems.map(mappingProblemLine).join("\n");
  throw new PrickleError("MAPPING_INVALID", `The mapping ${source.file} is wrong:\n${listed}`, {
    hint: "Mend each place named; `prickle check` prints the same list.",
  });
}

/** Every problem of a mapping file, in the order of its lines; none means that it compiles. Never throws. */
export function checkMapping(text: string, file: string): readonly MappingProblem[] {
  const compiled = compileFile({ name: file, text, file });
  return "problems" in compiled ? compiled.problems : [];
}

/** `file:line:column path: message` */
export function mappingProblemLine({ file, line, column, path, message }: MappingProblem): string {
  return `${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`;
}

type Compiled = { readonly mapping: Mapping } | { readonly problems: readonly MappingProblem[] };

function compileFile({ name, text, file }: MappingSource): Compiled {
  const whole = (message: string): Compiled => ({ problems: [{ file, line: 1, column: 1, path: "", message }] });
  if (text.length > MAX_CHARACTERS) return whole(`found ${text.length} characters; ${MAX_CHARACTERS} are allowed`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map(({ pos, message }) => ({
        file,
        ...placeOf(lines, pos[0]),
        path: "",
        message: firstLine(message),
      })),
    };
  }
  const problems: PlacedProblem[] = [];
  const mapping = compileDocument(name, document, problems);
  if (mapping && problems.length === 0) return { mapping };
  const placed = problems.map(({ at, message }) => ({
    file,
    ...placeOf(lines, offsetOf(document, at)),
    path: pathText(at),
    message,
  }));
  return { problems: placed.sort((a, b) => a.line - b.line || a.column - b.column) };
}

function compileDocument(name: string, document: Document, problems: PlacedProblem[]): Mapping | null {
  const content = plainContent(document, problems);
  if (content === undefined) return null;
  const parsed = mappingFileSchema.safeParse(content);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(placedIssues));
  // Even so the values are looked into, as far as they can be reached: every problem is said at once.
  const file = parsed.success ? parsed.data : null;
  if (!file) return null;
  return compileRules(name, file, problems);
}

function plainContent(document: Document, problems: PlacedProblem[]): unknown {
  try {
    const content: unknown = document.toJS({ maxAliasCount: 100 });
    if (!isCyclic(content, new Set(), new Set())) return content ?? null;
    problems.push({ at: [], message: "an anchor contains itself" });
  } catch (thrown) {
    problems.push({ at: [], message: thrown instanceof Error ? firstLine(thrown.message) : String(thrown) });
  }
  return undefined;
}

function isCyclic(value: unknown, open: Set<object>, done: Set<object>): boolean {
  if (typeof value !== "object" || value === null || done.has(value)) return false;
  if (open.has(value)) return true;
  open.add(value);
  const cyclic = Object.values(value).some((inner) => isCyclic(inner, open, done));
  open.delete(value);
  done.add(value);
  return cyclic;
}

function compileRules(name: string, file: MappingFile, problems: PlacedProblem[]): Mapping {
  const scope = rootScope(file.dialect, problems);
  checkGroupTypes(file.groupTypes, scope);
  const groupTypes = new Set(file.groupTypes);
  const rules = file.rules.map((rule, index) => compileRule(rule, inside(scope, "rules", index), groupTypes));
  checkReachable(file.rules, scope);
  return { name, groupTypes: file.groupTypes, apply: ({ payload }) => applyRules(rules, payload) };
}

interface Rule {
  readonly name: string;
  readonly when: Condition;
  readonly outputs: readonly Output[];
}

function applyRules(rules: readonly Rule[], payload: JsonObject) {
  const drafts: MessageDraft[] = [];
  const problems: MessageProblem[] = [];
  try {
    const rule = rules.find(({ when }) => when(payload));
    if (!rule)
      problems.push({
        reason: "no_rule",
        detail: `No rule of the mapping applies: type is ${describe(payload.type)}.`,
      });
    else for (const output of rule.outputs) output(payload, drafts, problems);
  } catch (thrown) {
    // Only what is nested too deeply for the stack comes here.
    return {
      drafts: [],
      problems: [
        { reason: "mapping_failed" as const, detail: thrown instanceof Error ? thrown.message : String(thrown) },
      ],
    };
  }
  return { drafts, problems };
}

function compileRule(rule: RuleFile, scope: Scope, groupTypes: ReadonlySet<string>): Rule {
  const context = { rule: rule.name, groupTypes };
  const outputs: Output[] = [];
  if (rule.groupIdentify)
    outputs.push(compileGroupIdentify(rule.groupIdentify, inside(scope, "groupIdentify"), context));
  if (rule.event) outputs.push(compileEvent(rule.event, inside(scope, "event"), context));
  const { reject } = rule;
  if (reject) outputs.push((_data, _drafts, problems) => problems.push(reject));
  if (outputs.length === 0) complain(scope, "groupIdentify, event or reject is missing");
  return { name: rule.name, when: compileWhen(rule.when, inside(scope, "when")), outputs };
}

function compileWhen(when: string | undefined, scope: Scope): Condition {
  if (when === undefined) return () => true;
  try {
    return compileCondition(when);
  } catch (thrown) {
    if (!(thrown instanceof FqlError)) throw thrown;
    complain(scope, `${thrown.message} (character ${thrown.at + 1})`);
    return () => false;
  }
}

function checkGroupTypes(groupTypes: readonly string[], scope: Scope): void {
  for (const [index, groupType] of groupTypes.entries()) {
    const problem = groupTypeProblem(groupType);
    if (problem) complain(inside(scope, "groupTypes", index), `found ${describe(groupType)}; ${problem}`);
    if (groupTypes.indexOf(groupType) < index)
      complain(inside(scope, "groupTypes", index), `${describe(groupType)} is written twice`);
  }
}

function checkReachable(rules: readonly RuleFile[], scope: Scope): void {
  const always = rules.findIndex(({ when }) => when === undefined);
  for (const [index, rule] of rules.entries()) {
    const at = inside(scope, "rules", index);
    if (always >= 0 && index > always)
      complain(at, `never reached: rule "${rules[always]?.name}" before it applies always`);
    const earlier = rules.findIndex(({ when }) => when !== undefined && when === rule.when);
    if (earlier >= 0 && earlier < index)
      complain(at, `never reached: rule "${rules[earlier]?.name}" has the same condition`);
  }
}

function placedIssues(issue: z.core.$ZodIssue): readonly PlacedProblem[] {
  const at = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code !== "unrecognized_keys") return [{ at, message: issue.message }];
  return issue.keys.map((key) => ({
    at: [...at, key],
    message: `unknown key "${key}".${suggestion(key, KNOWN_KEYS)}`,
  }));
}

const KNOWN_KEYS = [
  "dialect",
  "groupTypes",
  "rules",
  "name",
  "when",
  "groupIdentify",
  "event",
  "reject",
  "groupType",
  "groupKey",
  "properties",
  "distinctId",
  "groups",
  "reason",
  "detail",
];

function offsetOf(document: Document, at: readonly PathSegment[]): number {
  for (let length = at.length; length > 0; length--) {
    const node = document.getIn(at.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function placeOf(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function pathText(at: readonly PathSegment[]): string {
  return at.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    "",
  );
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
