/** FQL conditions compiled to closures. Source: facts on Segment, 6.1. */

import type { JsonValue } from "../../json.ts";
import { compileKeys, type Read } from "../path.ts";
import { complain, type Scope, warn } from "../scope.ts";
import { differencesFromSegment } from "./differences.ts";
import { FUNCTIONS } from "./functions.ts";
import { FqlError } from "./tokens.ts";
import { type FqlNode, type FqlOperator, parseFql } from "./tree.ts";

export type Condition = (data: JsonValue) => boolean;

/** True only where the expression gives `true`. What is no FQL is a problem of the scope, and then never true. */
export function compileCondition(text: string, scope: Scope): Condition {
  try {
    const tree = parseFql(text);
    const value = compileNode(tree);
    for (const { at, message } of scope.comparesSegment ? differencesFromSegment(tree) : [])
      warn(scope, `${message} (character ${at + 1})`);
    for (const { at, written } of miscased(tree))
      warn(scope, `${written} is read as a field; did you mean ${written.toLowerCase()}? (character ${at + 1})`);
    return (data) => value(data) === true;
  } catch (thrown) {
    if (!(thrown instanceof FqlError)) throw thrown;
    complain(scope, `${thrown.message} (character ${thrown.at + 1})`);
    return () => false;
  }
}

/** Fields by the name of a constant, but for capitals. */
function miscased(node: FqlNode): readonly (FqlNode & { readonly kind: "field" })[] {
  switch (node.kind) {
    case "field":
      return /^(?:true|false|null)$/i.test(node.written) ? [node] : [];
    case "list":
      return node.items.flatMap(miscased);
    case "and":
    case "or":
      return node.operands.flatMap(miscased);
    case "not":
    case "group":
      return miscased(node.operand);
    case "compare":
      return [...miscased(node.left), ...miscased(node.right)];
    case "call":
      return node.arguments.flatMap(miscased);
    case "literal":
      return [];
  }
}

function compileNode(node: FqlNode): Read {
  switch (node.kind) {
    case "literal":
      return () => node.value;
    case "field":
      return compileKeys(node.keys);
    case "list": {
      const items = node.items.map(compileNode);
      return (data) => items.map((item) => item(data) ?? null);
    }
    case "not": {
      const operand = compileNode(node.operand);
      return (data) => operand(data) !== true;
    }
    case "group":
      return compileNode(node.operand);
    case "and":
    case "or":
      return compileJunction(node.kind, node.operands.map(compileNode));
    case "call": {
      const [first = node, second] = node.arguments;
      return FUNCTIONS[node.name](compileNode(first), second ? compileNode(second) : () => null);
    }
    case "compare":
      return compileComparison(node.operator, compileNode(node.left), compileNode(node.right));
  }
}

function compileJunction(kind: "and" | "or", operands: readonly Read[]): Read {
  return kind === "and"
    ? (data) => operands.every((operand) => operand(data) === true)
    : (data) => operands.some((operand) => operand(data) === true);
}

function compileComparison(operator: FqlOperator, left: Read, right: Read): Read {
  switch (operator) {
    case "=":
      return (data) => (left(data) ?? null) === (right(data) ?? null);
    case "!=":
      return (data) => (left(data) ?? null) !== (right(data) ?? null);
    case "in":
      return (data) => {
        const list = right(data);
        return Array.isArray(list) && list.includes(left(data) ?? null);
      };
    default: {
      const holds = ORDERINGS[operator];
      return (data) => {
        const [a, b] = [left(data), right(data)];
        return typeof a === "number" && typeof b === "number" && holds(a, b);
      };
    }
  }
}

const ORDERINGS = {
  "<": (a: number, b: number) => a < b,
  "<=": (a: number, b: number) => a <= b,
  ">": (a: number, b: number) => a > b,
  ">=": (a: number, b: number) => a >= b,
} as const;
