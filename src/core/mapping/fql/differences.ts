/** Where the evaluator of Segment's destinations reads a condition otherwise, and how. Source: facts on Segment, 6.2; measured with 3.37.0. */

import { fieldDifferences, globDifferences, textDifferences, valueDifferences } from "./differences-values.ts";
import type { FqlNode } from "./tree.ts";

export interface FqlDifference {
  /** The character it begins at, from 0. */
  readonly at: number;
  readonly message: string;
}

export type Kind<Name> = Extract<FqlNode, { kind: Name }>;

/** In the order of the text. Without any, Segment gives the same for every call, but for paths that run into 0, false or "". */
export function differencesFromSegment(tree: FqlNode): readonly FqlDifference[] {
  return differencesOf(tree, 0).toSorted((a, b) => a.at - b.at);
}

/** `level`: of parentheses. */
function differencesOf(node: FqlNode, level: number): readonly FqlDifference[] {
  switch (node.kind) {
    case "and":
    case "or":
      return [...mixed(node), ...node.operands.flatMap((operand) => differencesOf(operand, level))];
    case "group":
      return [...nested(node, level), ...differencesOf(node.operand, level + 1)];
    case "not":
      return [negation(node), ...differencesOf(node.operand, level)];
    case "compare":
      return comparison(node);
    case "call":
      return isTextCall(node) ? textCall(node) : unread(node);
    case "field":
    case "literal":
    case "list":
      return unread(node);
  }
}

function mixed({ kind, operands, at }: Kind<"and" | "or">): readonly FqlDifference[] {
  if (kind !== "or" || operands.every((operand) => operand.kind !== "and")) return [];
  const last = operands.at(-1)?.kind === "and" ? "and" : "or";
  return [{ at, message: `Segment joins them all by the last word, "${last}": "and" and "or" need parentheses there` }];
}

function nested({ operand, at }: Kind<"group">, level: number): readonly FqlDifference[] {
  if (level === 0 && !holdsCall(operand)) return [];
  return [{ at, message: 'Segment ends a group at the first ")", also at that of a function or of a group within' }];
}

function holdsCall(node: FqlNode): boolean {
  switch (node.kind) {
    case "call":
      return true;
    case "and":
    case "or":
      return node.operands.some(holdsCall);
    case "not":
    case "group":
      return holdsCall(node.operand);
    case "compare":
      return holdsCall(node.left) || holdsCall(node.right);
    default:
      return false;
  }
}

function negation({ operand, at }: Kind<"not">): FqlDifference {
  return isTextCall(operand)
    ? { at, message: "Segment gives false here, not true, where the field is missing or no text" }
    : { at, message: 'Segment ignores "!" before anything but contains() and match()' };
}

function isTextCall(node: FqlNode): node is Kind<"call"> {
  return node.kind === "call" && (node.name === "contains" || node.name === "match");
}

function comparison({ operator, left, right, at }: Kind<"compare">): readonly FqlDifference[] {
  if (left.kind !== "field") return unread(left);
  const ofField = fieldDifferences(left);
  if (ofField.length > 0) return ofField;
  if (operator === "in" || right.kind === "list")
    return [
      { at, message: 'Segment knows neither "in" nor lists: it compares with the text "[", so it never matches' },
    ];
  if (right.kind !== "literal")
    return [{ at: right.at, message: "Segment compares with the text as it is written here, not with what it gives" }];
  return [...textDifferences(right), ...valueDifferences({ operator, left, right, at })];
}

function textCall({ name, arguments: [field, text], at }: Kind<"call">): readonly FqlDifference[] {
  if (field?.kind !== "field") return unread(field ?? { at });
  const ofField = fieldDifferences(field);
  if (ofField.length > 0) return ofField;
  if (field.keys[0] === "type") return [{ at, message: `Segment leaves out ${name}() of type` }];
  if (text?.kind !== "literal" || typeof text.value !== "string")
    return [{ at, message: `Segment takes the second value of ${name}() as text, as it is written here` }];
  return [...textDifferences(text), ...(name === "match" ? globDifferences(text) : [])];
}

function unread({ at }: { readonly at: number }): readonly FqlDifference[] {
  const known = "comparisons of a field with a value, contains() and match()";
  return [{ at, message: `Segment knows only ${known}: it cannot read this` }];
}
