/** The form of a mapping file: what of it can be read, and what is wrong with the rest. */

import { isJsonObject, type JsonObject } from "../json.ts";
import { parseSafely } from "../safe-parsing.ts";
import {
  changeSchema,
  extensionSchema,
  groupsSchema,
  isExtension,
  mappingFileSchema,
  type RuleFile,
  ruleSchema,
  schemasFor,
} from "./file-schema.ts";
import { type At, type Issue, placeIssues } from "./placed-issues.ts";
import { type Readable, readReadable } from "./readable.ts";
import type { Dialect, PlacedProblem } from "./scope.ts";

export type RuleForm = Readable<RuleFile>;

export interface FileForm {
  readonly dialect: Dialect;
  /** Whether it says that it extends another; and which, where that can be read. */
  readonly isExtension: boolean;
  readonly extends: string | null;
  /** Null: none are written. Within: in place of what is no text. */
  readonly groupTypes: readonly (string | null)[] | null;
  readonly addGroupTypes: readonly (string | null)[];
  readonly groups: Readonly<Record<string, unknown>>;
  /** Null in place of what is no rule. */
  readonly rules: readonly (RuleForm | null)[];
  /** False where anything is left out. */
  readonly isWhole: boolean;
}

/** Null for what is no object. What is wrong is added to the problems. */
export function readForm(content: unknown, problems: PlacedProblem[]): FileForm | null {
  const parsed = parseSafely(schemasFor(content).file, content);
  if (!parsed.success) {
    const issues = parsed.issues.filter((issue) => !isSaidElsewhere(issue));
    problems.push(...placeIssues(issues, content, (at) => keysAt(at, content)));
  }
  if (!isJsonObject(content)) return null;
  const { rules } = content;
  return {
    dialect: content.dialect === "segment" ? "segment" : "prickle",
    isExtension: isExtension(content),
    extends: typeof content.extends === "string" && content.extends !== "" ? content.extends : null,
    groupTypes: textsOf(content.groupTypes),
    addGroupTypes: textsOf(content.addGroupTypes) ?? [],
    groups: isJsonObject(content.groups) ? (readReadable(groupsSchema.partial(), content.groups)?.value ?? {}) : {},
    rules: Array.isArray(rules) ? rules.map((rule, index) => readRule(rule, index, content)) : [],
    isWhole: parsed.success,
  };
}

/** Of group types from files that extend each other there may be too many only together. */
function isSaidElsewhere({ code, path }: Issue): boolean {
  return code === "too_big" && path.length === 1 && path[0] === "groupTypes";
}

function textsOf(list: unknown): readonly (string | null)[] | null {
  return Array.isArray(list) ? list.map((one) => (typeof one === "string" ? one : null)) : null;
}

/** One without a name gets that of its place. */
function readRule(rule: unknown, index: number, content: unknown): RuleForm | null {
  if (!isJsonObject(rule)) return null;
  const hasName = typeof rule.name === "string" && rule.name !== "";
  const named: JsonObject = hasName ? rule : { ...rule, name: `rules[${index}]` };
  const read = readReadable(schemasFor(content).rule, named);
  return read && !hasName ? { ...read, unread: new Set([...read.unread, ""]) } : read;
}

/** What may stand at a place of the file's own form. */
function keysAt(at: At, content: unknown): readonly string[] {
  const { groupIdentify, event, membership, join, reject } = ruleSchema.shape;
  switch (at.at(-1)) {
    case undefined:
      return Object.keys(isExtension(content) ? extensionSchema.shape : mappingFileSchema.shape);
    case "groupIdentify":
      return Object.keys(groupIdentify.unwrap().shape);
    case "event":
      return Object.keys(event.unwrap().shape);
    case "membership":
      return Object.keys(membership.unwrap().shape);
    case "join":
      return Object.keys(join.unwrap().shape);
    case "groups":
      return Object.keys(groupsSchema.shape);
    case "reject":
      return Object.keys(reject.unwrap().shape);
    default:
      return Object.keys(isExtension(content) ? changeSchema.shape : ruleSchema.shape);
  }
}
