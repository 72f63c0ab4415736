/** FQL read into a tree, with the usual precedence: `!`, then comparisons, then `and`, then `or`. */

import { suggestion } from "../scope.ts";
import { LONGEST_GLOB } from "./glob.ts";
import { FqlError, type Token, tokenize } from "./tokens.ts";

/** `at` is the character it begins at, from 0. */
export type FqlNode = { readonly at: number } & (
  | { readonly kind: "literal"; readonly value: string | number | boolean | null; readonly written: string }
  | { readonly kind: "list"; readonly items: readonly FqlNode[] }
  | { readonly kind: "field"; readonly keys: readonly string[]; readonly written: string }
  | { readonly kind: "call"; readonly name: FqlFunction; readonly arguments: readonly FqlNode[] }
  | { readonly kind: "not"; readonly operand: FqlNode }
  /** What stands in parentheses. */
  | { readonly kind: "group"; readonly operand: FqlNode }
  | { readonly kind: "and" | "or"; readonly operands: readonly FqlNode[] }
  | { readonly kind: "compare"; readonly operator: FqlOperator; readonly left: FqlNode; readonly right: FqlNode }
);

const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "in"] as const;
export type FqlOperator = (typeof OPERATORS)[number];

/** Number of arguments by function. */
const FUNCTIONS = {
  contains: 2,
  length: 1,
  lowercase: 1,
  uppercase: 1,
  snakecase: 1,
  kebabcase: 1,
  titlecase: 1,
  typeof: 1,
  match: 2,
  bool: 1,
  string: 1,
  number: 1,
} as const;
export type FqlFunction = keyof typeof FUNCTIONS;

const DEEPEST = 200;
/** In characters. */
const LONGEST = 10_000;

/** @throws FqlError with what was found, what is allowed, and where. */
export function parseFql(text: string): FqlNode {
  if (text.length > LONGEST) throw new FqlError(`found ${text.length} characters; ${LONGEST} are allowed`, 0);
  const tokens = tokenize(text);
  let position = 0;
  let depth = 0;
  const peek = (): Token => tokens[position] ?? { kind: "end", text: "the end", at: text.length };
  const isNext = (word: string) => peek().text === word && (peek().kind === "symbol" || peek().kind === "name");
  const take = (word: string) => isNext(word) && ++position > 0;
  const need = (word: string) => {
    if (!take(word)) throw new FqlError(`found ${shown(peek())}; "${word}" is needed`, peek().at);
  };

  const chain = (kind: "and" | "or", operand: () => FqlNode): FqlNode => {
    const { at } = peek();
    const operands = [operand()];
    while (take(kind)) operands.push(operand());
    return operands.length === 1 && operands[0] ? operands[0] : { kind, operands, at };
  };
  const either = (): FqlNode => chain("or", () => chain("and", comparison));

  const comparison = (): FqlNode => {
    const left = operand();
    const operator = OPERATORS.find(take);
    return operator ? { kind: "compare", operator, left, right: operand(), at: left.at } : left;
  };

  const operand = (): FqlNode => {
    if (++depth > DEEPEST) throw new FqlError(`nested deeper than ${DEEPEST} levels`, peek().at);
    const node = operandWithin();
    depth -= 1;
    return node;
  };

  const operandWithin = (): FqlNode => {
    const { at } = peek();
    if (take("!")) return { kind: "not", operand: operand(), at };
    if (take("(")) {
      const inner = either();
      need(")");
      return { kind: "group", operand: inner, at };
    }
    if (take("[")) return { kind: "list", items: separated("]"), at };
    return leaf();
  };

  const separated = (end: string): readonly FqlNode[] => {
    const items: FqlNode[] = [];
    if (take(end)) return items;
    do items.push(operand());
    while (take(","));
    need(end);
    return items;
  };

  const leaf = (): FqlNode => {
    const token = peek();
    position += 1;
    const { text, at } = token;
    if (token.kind === "string") return { kind: "literal", value: token.text, written: token.written, at };
    if (token.kind === "number") return { kind: "literal", value: token.value, written: text, at };
    if (token.kind !== "name" || RESERVED.has(text))
      throw new FqlError(`found ${shown(token)}; a field, a value or "(" is needed`, at);
    if (CONSTANTS.has(text)) return { kind: "literal", value: CONSTANTS.get(text) ?? null, written: text, at };
    return take("(") ? call(token, separated(")")) : { kind: "field", keys: token.keys, written: text, at };
  };

  const node = either();
  if (peek().kind !== "end") throw new FqlError(`found ${shown(peek())}; "and", "or" or the end is needed`, peek().at);
  return node;
}

const RESERVED: ReadonlySet<string> = new Set(["and", "or", "in"]);
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

function call({ text, at }: Token, given: readonly FqlNode[]): FqlNode {
  const names = Object.keys(FUNCTIONS);
  if (!isFunction(text))
    throw new FqlError(`unknown function "${text}"; ${names.join(", ")} are allowed.${suggestion(text, names)}`, at);
  if (given.length !== FUNCTIONS[text])
    throw new FqlError(`${text}() takes ${FUNCTIONS[text]} values; found ${given.length}`, at);
  const [first, pattern] = given;
  if (text === "match" && pattern?.kind === "literal" && String(pattern.value).length > LONGEST_GLOB)
    throw new FqlError(
      `found a pattern of ${String(pattern.value).length} characters; ${LONGEST_GLOB} are allowed`,
      pattern.at,
    );
  // A glob has escapes of its own, `\\*` among them: it is taken as it is written.
  if (text === "match" && first && pattern?.kind === "literal" && typeof pattern.value === "string")
    return { kind: "call", name: text, arguments: [first, { ...pattern, value: pattern.written.slice(1, -1) }], at };
  return { kind: "call", name: text, arguments: given, at };
}

function isFunction(name: string): name is FqlFunction {
  return Object.hasOwn(FUNCTIONS, name);
}

function shown(token: Token): string {
  return token.kind === "end" ? token.text : `"${token.text}"`;
}
