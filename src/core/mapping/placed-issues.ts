/** What zod finds wrong with the form of a file, said in prickle's words. */

import type * as z from "zod";
import { describe, type PathSegment, type PlacedProblem, suggestion } from "./scope.ts";

export type Issue = z.core.$ZodIssue;
export type At = readonly PathSegment[];

/** `keysAt`: which keys the form has at a place. */
export function placeIssues(
  issues: readonly Issue[],
  content: unknown,
  keysAt: (at: At) => readonly string[],
): readonly PlacedProblem[] {
  return firstOfEachPlace(issues).flatMap((issue) => placeIssue(issue, content, keysAt));
}

/** A value of the wrong kind fails further checks as well; one problem says enough. */
function firstOfEachPlace(issues: readonly Issue[]): readonly Issue[] {
  const seen = new Set<string>();
  return issues.filter(({ path }) => {
    const place = path.join("\0");
    return !seen.has(place) && seen.add(place);
  });
}

function placeIssue(issue: Issue, content: unknown, keysAt: (at: At) => readonly string[]): readonly PlacedProblem[] {
  const at = placeOf(issue);
  if (issue.code !== "unrecognized_keys") {
    const value = valueAt(content, at);
    const allowed = allowedBy(issue);
    const message = `found ${describe(value)}; ${allowed.said}.${nearest(value, allowed.words)}`;
    return [{ at, severity: "error", message }];
  }
  const allowed = keysAt(at);
  return issue.keys.map((key) => ({
    at: [...at, key],
    severity: "error",
    message: `unknown key; ${allowed.join(", ")} are allowed.${suggestion(key, allowed)}`,
  }));
}

function nearest(value: unknown, words: readonly string[]): string {
  return typeof value === "string" ? suggestion(value, words) : "";
}

interface Allowed {
  readonly said: string;
  readonly words: readonly string[];
}

function allowedBy(issue: Issue): Allowed {
  switch (issue.code) {
    case "invalid_type":
      return { said: `${KINDS[issue.expected] ?? `a value of type ${issue.expected}`} is needed`, words: [] };
    case "invalid_value":
      return { said: `${issue.values.join(", ")} are allowed`, words: issue.values.map(String) };
    case "too_small":
      return { said: `at least one ${issue.origin === "string" ? "character " : ""}is needed`, words: [] };
    case "too_big":
      return { said: `at most ${issue.maximum} are allowed`, words: [] };
    default:
      return { said: issue.message, words: [] };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  object: "an object",
  record: "an object",
  string: "text",
  nonoptional: "a value",
};

export function placeOf({ path }: Issue): At {
  return path.filter((part) => typeof part !== "symbol");
}

export function valueAt(content: unknown, at: At): unknown {
  return at.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, part)?.value : undefined,
    content,
  );
}
