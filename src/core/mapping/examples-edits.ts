/** What is to be changed in the text of an example so that it says what the mapping makes. */

import { type Document, isNode, isSeq, type Pair, type YAMLMap } from "yaml";
import type { JsonObject, JsonValue } from "../json.ts";
import { canonical } from "./examples.ts";
import { columnOf, type Edit, lineBreakBefore, lineEnd, spanOf } from "./text-edit.ts";
import { yamlBlock, yamlFlow, yamlPair } from "./yaml-writing.ts";

const OUTCOME = ["messages", "statements", "problems"];

export interface Written {
  readonly text: string;
  readonly document: Document;
  /** The list of examples stands in brackets, so that everything in it does. */
  readonly inBrackets: boolean;
}

export function editsOf(example: YAMLMap, actual: JsonObject, written: Written): readonly Edit[] {
  if (written.inBrackets) return [rewriteInBrackets(example, actual, written)];
  if (example.flow) return [rewriteWhole(example, actual, written)];
  const { text } = written;
  const indent = columnOf(spanOf(example.items[0] ?? example, text).from, text);
  const last = example.items.findLast((pair) => !isOutcome(pair)) ?? example.items.at(-1);
  const end = last ? lineEnd(spanOf(last, text).to, text) : 0;
  const added: string[] = [];
  const edits = OUTCOME.flatMap((key) => {
    const wanted = listOf(actual, key);
    const pair = example.items.find((one) => keyOf(one) === key);
    if (pair) return editsOfPair(pair, wanted, { ...written, example, key, indent });
    if (wanted.length > 0) added.push(`\n${" ".repeat(indent)}${yamlPair(key, [...wanted], indent)}`);
    return [];
  });
  return added.length > 0 ? [...edits, { from: end, to: end, by: added.join("") }] : edits;
}

interface Place extends Written {
  readonly example: YAMLMap;
  readonly key: string;
  readonly indent: number;
}

function editsOfPair(pair: Pair, wanted: readonly JsonValue[], place: Place): readonly Edit[] {
  const { text, document, key, indent } = place;
  const span = spanOf(pair, text);
  if (wanted.length === 0) return [removal(pair, place)];
  const { value } = pair;
  if (!isSeq(value) || value.flow || value.items.length !== wanted.length)
    return [{ ...span, by: yamlPair(key, [...wanted], indent) }];
  return value.items.filter(isNode).flatMap((item, index) => {
    const instead = wanted[index] ?? null;
    if (canonical(item.toJS(document) as JsonValue) === canonical(instead)) return [];
    const of = spanOf(item, text);
    return [{ ...of, by: yamlBlock(instead, columnOf(of.from, text)) }];
  });
}

/** With its line; the first of an example stands beside the dash, which stays. */
function removal(pair: Pair, { text, example }: Place): Edit {
  const { from, to } = spanOf(pair, text);
  const [first, second] = example.items;
  if (pair === first && second) return { from, to: spanOf(second, text).from, by: "" };
  return { from: lineBreakBefore(from, text), to, by: "" };
}

/** An example on one line becomes one on several. */
function rewriteWhole(example: YAMLMap, actual: JsonObject, { text, document }: Written): Edit {
  const span = spanOf(example, text);
  const indent = columnOf(span.from, text);
  const pairs = Object.entries(rewritten(example, actual, document));
  return { ...span, by: pairs.map(([key, value]) => yamlPair(key, value, indent)).join(`\n${" ".repeat(indent)}`) };
}

/** As JSON where the file is JSON. */
function rewriteInBrackets(example: YAMLMap, actual: JsonObject, { text, document }: Written): Edit {
  const span = spanOf(example, text);
  const whole = rewritten(example, actual, document);
  if (!isJson(text)) return { ...span, by: yamlFlow(whole) };
  const isOneLine = !text.slice(span.from, span.to).includes("\n");
  const indent = /^ */.exec(text.slice(span.from - columnOf(span.from, text)))?.[0] ?? "";
  const by = isOneLine ? JSON.stringify(whole) : JSON.stringify(whole, null, 2).replaceAll("\n", `\n${indent}`);
  return { ...span, by };
}

function rewritten(example: YAMLMap, actual: JsonObject, document: Document): JsonObject {
  const kept = Object.entries(example.toJS(document) as JsonObject).filter(([key]) => !OUTCOME.includes(key));
  const outcome = OUTCOME.map((key) => [key, [...listOf(actual, key)]] as const).filter(([, list]) => list.length > 0);
  return Object.fromEntries([...kept, ...outcome]);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function listOf(actual: JsonObject, key: string): readonly JsonValue[] {
  const list = actual[key];
  return Array.isArray(list) ? list : [];
}

function isOutcome(pair: Pair): boolean {
  return OUTCOME.includes(keyOf(pair));
}

function keyOf(pair: Pair): string {
  return String(pair.key);
}
