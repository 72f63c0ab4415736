/** Puts what a mapping really makes into its file of examples, and leaves everything else of the text as it is. */

import { type Document, isMap, isNode, isPair, isSeq, type Pair, parseDocument, type YAMLMap } from "yaml";
import type { JsonObject, JsonValue } from "../json.ts";
import { canonical, runExamples } from "./examples.ts";
import type { ExamplesText } from "./examples-file.ts";
import type { Mapping } from "./mapping.ts";
import { yamlBlock, yamlPair } from "./yaml-writing.ts";

/**
 * The text with the messages and problems of examples that fail replaced by the actual ones. Comments, order and
 * layout stay, and so does every message that is as expected.
 * @throws MAPPING_INVALID if the text is not a file of examples.
 */
export function rewriteExamples(mapping: Mapping, source: ExamplesText): string {
  const results = runExamples(mapping, source);
  const document = parseDocument(source.text);
  const examples = document.get("examples");
  if (!isSeq(examples)) return source.text;
  const edits = results.flatMap(({ passed, actual }, index) => {
    const example = examples.items[index];
    return passed || !isMap(example) ? [] : editsOf(example, actual, { text: source.text, document });
  });
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, to, by }) => text.slice(0, from) + by + text.slice(to), source.text);
}

const OUTCOME = ["messages", "statements", "problems"];

/** Characters of the text and what stands there instead. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

interface Written {
  readonly text: string;
  readonly document: Document;
}

function editsOf(example: YAMLMap, actual: JsonObject, written: Written): readonly Edit[] {
  if (example.flow) return [rewriteWhole(example, actual, written)];
  const { text } = written;
  const last = example.items.findLast((pair) => !isOutcome(pair)) ?? example.items.at(-1);
  const end = last ? lineEnd(rangeOf(last, text).to, text) : 0;
  return OUTCOME.flatMap((key) => {
    const wanted = (actual[key] ?? []) as JsonValue[];
    const pair = example.items.find((one) => keyOf(one) === key);
    const indent = columnOf(rangeOf(example.items[0] ?? { range: null }, text).from, text);
    if (!pair)
      return wanted.length === 0
        ? []
        : [{ from: end, to: end, by: `\n${" ".repeat(indent)}${yamlPair(key, wanted, indent)}` }];
    return editsOfPair(pair, wanted, { ...written, key, indent });
  });
}

interface Place extends Written {
  readonly key: string;
  readonly indent: number;
}

function editsOfPair(pair: Pair, wanted: readonly JsonValue[], place: Place): readonly Edit[] {
  const { text, document, key, indent } = place;
  const { from, to } = rangeOf(pair, text);
  const lineStart = text.lastIndexOf("\n", from - 1);
  if (wanted.length === 0) return [{ from: lineStart < 0 ? from : lineStart, to, by: "" }];
  const { value } = pair;
  if (!isSeq(value) || value.flow || value.items.length !== wanted.length)
    return [{ from, to, by: yamlPair(key, [...wanted], indent) }];
  return value.items.filter(isNode).flatMap((item, index) => {
    const instead = wanted[index] ?? null;
    if (canonical(item.toJS(document) as JsonValue) === canonical(instead)) return [];
    const range = rangeOf(item, text);
    return [{ ...range, by: yamlBlock(instead, columnOf(range.from, text)) }];
  });
}

/** An example on one line becomes one on several. */
function rewriteWhole(example: YAMLMap, actual: JsonObject, { text, document }: Written): Edit {
  const range = rangeOf(example, text);
  const indent = columnOf(range.from, text);
  const kept = Object.entries(example.toJS(document) as JsonObject).filter(([key]) => !OUTCOME.includes(key));
  const outcome = Object.entries(actual).filter(([, list]) => Array.isArray(list) && list.length > 0);
  const pairs = [...kept, ...outcome].map(([key, value]) => yamlPair(key, value, indent));
  return { ...range, by: pairs.join(`\n${" ".repeat(indent)}`) };
}

function isOutcome(pair: Pair): boolean {
  return OUTCOME.includes(keyOf(pair));
}

function keyOf(pair: Pair): string {
  return String(pair.key);
}

/** Without the white space after it. */
function rangeOf(
  node: Pair | { readonly range?: readonly [number, number, number] | null },
  text: string,
): Omit<Edit, "by"> {
  const [first, last] = isPair(node) ? [node.key, node.value ?? node.key] : [node, node];
  const from = startOf(first);
  let to = endOf(last);
  while (to > from && /\s/.test(text.charAt(to - 1))) to -= 1;
  return { from, to };
}

function startOf(node: unknown): number {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : 0;
}

function endOf(node: unknown): number {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)
    ? Number(node.range[1])
    : 0;
}

/** After the comment that may follow. */
function lineEnd(offset: number, text: string): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end;
}

function columnOf(offset: number, text: string): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}
