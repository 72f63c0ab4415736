/** What zod found, in the words of our problems. */

import type * as z from "zod";
import type { Finding, Path } from "./problem.ts";
import { nearestWord } from "./problem.ts";
import { allowedAt, isContainer, isSecretNode, keysOf, nodeAt } from "./schema-node.ts";

export interface IssueContext {
  readonly data: unknown;
  /** Whether what stands there came from the environment. */
  readonly isFromEnvironment: (at: Path) => boolean;
}

export function findingsOf(issue: z.core.$ZodIssue, context: IssueContext): readonly Finding[] {
  const at = issue.path.filter((part) => typeof part !== "symbol");
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, at, context));
    case "invalid_key":
      return [{ at, atKey: true, found: `the name ${quoted(at.at(-1))}`, allowed: NAMES }];
    case "invalid_union":
      return [wrongType(issue, at, context)];
    default:
      return [wrongValue(at, context)];
  }
}

const NAMES = "letters, digits, - and _, at most 64, a letter or digit first";

function unknownKey(key: string, at: Path, { data }: IssueContext): Finding {
  const allowed = keysOf(nodeAt(at, data));
  return {
    at: [...at, key],
    atKey: true,
    found: `unknown key ${quoted(key)}`,
    allowed: allowed.join(", "),
    hint: nearestWord(key, allowed),
  };
}

function wrongType(issue: z.core.$ZodIssueInvalidUnion, at: Path, context: IssueContext): Finding {
  const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
  const value = valueAt(context.data, at);
  const hint = typeof value === "string" ? nearestWord(value, options) : null;
  const found = context.isFromEnvironment(at) ? foundAt(at, context) : `found ${shown(value)}`;
  return { at, found, allowed: options.join(", "), hint };
}

function wrongValue(at: Path, context: IssueContext): Finding {
  const node = nodeAt(at, context.data);
  const value = valueAt(context.data, at);
  const allowed = allowedAt(node);
  if (isSecretNode(node) && value !== undefined) return literalSecret(at);
  const words = Array.isArray(node?.enum) ? node.enum.map(String) : [];
  const hint = typeof value === "string" && !context.isFromEnvironment(at) ? nearestWord(value, words) : null;
  return { at, found: foundAt(at, context), allowed, hint };
}

function literalSecret(at: Path): Finding {
  const name = String(at.findLast((part) => typeof part === "string" && part !== "secrets") ?? "SECRET");
  const variable = name.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();
  return {
    at,
    found: "a secret written out (not shown)",
    allowed: `\${NAME}`,
    hint: `Secrets come from the environment only: write "\${PRICKLE_${variable}}" and set that variable.`,
  };
}

function foundAt(at: Path, { data, isFromEnvironment }: IssueContext): string {
  if (isFromEnvironment(at)) return "a value from the environment (not shown) that does not fit";
  const value = valueAt(data, at);
  // Text where a mapping or a list belongs may be a secret that slipped out of its place.
  const isHidden = typeof value === "string" && (isContainer(nodeAt(at, data)) || at.includes("writeKeys"));
  return `found ${isHidden ? "text (not shown)" : shown(value)}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping";
  return quoted(value);
}

function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  const hidden = text.replace(/\/\/[^/@\s]*@/, "//…@");
  return hidden.length > 60 ? `${hidden.slice(0, 60)}…` : hidden;
}

function valueAt(data: unknown, at: Path): unknown {
  return at.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? Object.entries(value).find(([key]) => key === `${part}`)?.[1]
        : undefined,
    data,
  );
}
