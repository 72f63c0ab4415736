/** What zod finds wrong with the form of a mapping file, said in prickle's words. */

import type * as z from "zod";
import { parseSafely } from "../safe-parsing.ts";
import {
  changeSchema,
  extensionSchema,
  groupsSchema,
  type MappingFile,
  mappingFileSchema,
  ruleSchema,
  schemaFor,
} from "./file-schema.ts";
import { describe, type PathSegment, type PlacedProblem, suggestion } from "./scope.ts";

type Issue = z.core.$ZodIssue;
type At = readonly PathSegment[];

/** The file, or null with its problems noted. */
export function readForm(content: unknown, problems: PlacedProblem[]): MappingFile | null {
  const parsed = parseSafely(schemaFor(content), content);
  if (parsed.success) return parsed.data;
  problems.push(...firstOfEachPlace(parsed.issues).flatMap((issue) => placeIssue(issue, content)));
  return null;
}

/** A value of the wrong kind fails further checks as well; one problem says enough. */
function firstOfEachPlace(issues: readonly Issue[]): readonly Issue[] {
  const placeOf = ({ path }: Issue) => path.join("\0");
  return issues.filter((issue, index) => issues.findIndex((other) => placeOf(other) === placeOf(issue)) === index);
}

function placeIssue(issue: Issue, content: unknown): readonly PlacedProblem[] {
  const at = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code !== "unrecognized_keys") {
    const message = `found ${describe(valueAt(content, at))}; ${allowedBy(issue)}.`;
    return [{ at, severity: "error", message }];
  }
  const allowed = keysAt(at, content);
  return issue.keys.map((key) => ({
    at: [...at, key],
    severity: "error",
    message: `unknown key; ${allowed.join(", ")} are allowed.${suggestion(key, allowed)}`,
  }));
}

function allowedBy(issue: Issue): string {
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

/** What may stand at a place of the file's own form. */
function keysAt(at: At, content: unknown): readonly string[] {
  const isExtension = schemaFor(content) === extensionSchema;
  const { groupIdentify, event, membership, join, reject } = ruleSchema.shape;
  switch (at.at(-1)) {
    case undefined:
      return Object.keys(isExtension ? extensionSchema.shape : mappingFileSchema.shape);
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
      return Object.keys(isExtension ? changeSchema.shape : ruleSchema.shape);
  }
}

function valueAt(content: unknown, at: At): unknown {
  return at.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, part)?.value : undefined,
    content,
  );
}
