/** What YAML allows and a mapping does not, or hardly means: looked for in the nodes, before they become values. */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
} from "yaml";
import type { PathSegment, PlacedProblem } from "./scope.ts";

/** `isReadable`: it can become values, whatever was found. */
export interface YamlFindings {
  readonly problems: readonly PlacedProblem[];
  readonly isReadable: boolean;
}

/** Values that anchors may come to where they are used again. */
const MOST_UNFOLDED = 100_000;
const DEEPEST = 500;

type At = readonly PathSegment[];

export function checkYaml(document: Document): YamlFindings {
  const problems: PlacedProblem[] = [];
  const said = new Set<string>();
  const anchors = new Map<string, Node>();
  const sizes = new Map<Node, number>();
  const open = new Set<Node>();
  let unfolded = 0;

  const note = (node: unknown, at: At, message: string, severity: PlacedProblem["severity"] = "error") =>
    problems.push({ at, severity, message, offset: offsetOf(node) });
  /** Keeps it from being read; once is enough. */
  const refuse = (node: unknown, at: At, message: string) => {
    if (!said.has(message)) note(node, at, message);
    said.add(message);
    return 1;
  };

  /** How many values it comes to. */
  function visit(node: unknown, at: At): number {
    if (isAlias(node)) return visitAlias(node, at);
    if (!isNode(node)) return 1;
    if ("anchor" in node && typeof node.anchor === "string") anchors.set(node.anchor, node);
    if (isScalar(node)) return 1;
    if (at.length > DEEPEST) return refuse(node, at.slice(0, 1), `nested deeper than ${DEEPEST} levels`);
    open.add(node);
    let size = 1;
    if (isMap(node)) size += visitMap(node, at);
    else if (isSeq(node)) for (const [index, item] of node.items.entries()) size += visit(item, [...at, index]);
    open.delete(node);
    sizes.set(node, size);
    return size;
  }

  function visitMap(map: YAMLMap, at: At): number {
    const keys = new Set<string>();
    let size = 0;
    for (const pair of map.items.filter(isPair)) {
      visit(pair.key, at);
      const scalar = isAlias(pair.key) ? anchors.get(pair.key.source) : pair.key;
      if (scalar !== null && !isScalar(scalar)) {
        refuse(pair.key, at, "found a list or an object as a key; a text is allowed");
        continue;
      }
      const key = String(scalar?.value ?? "");
      const here = [...at, key];
      if (keys.has(key)) note(pair.key, here, `${JSON.stringify(key)} is written twice`);
      if (key === "<<") note(pair.key, here, '"<<" is a key like any other here: nothing is merged', "warning");
      keys.add(key);
      size += visit(pair.value, here);
    }
    return size;
  }

  function visitAlias(alias: Alias, at: At): number {
    const target = anchors.get(alias.source);
    if (!target) return refuse(alias, at, `there is no anchor &${alias.source} before it`);
    if (open.has(target)) return refuse(alias, at, `the anchor &${alias.source} contains itself`);
    const size = sizes.get(target) ?? 1;
    unfolded += size;
    if (unfolded > MOST_UNFOLDED)
      refuse(alias, at, `anchors used again come to more than ${MOST_UNFOLDED} values by here; so many are allowed`);
    return size;
  }

  visit(document.contents, []);
  return { problems, isReadable: said.size === 0 };
}

function offsetOf(node: unknown): number {
  return isNode(node) && node.range ? node.range[0] : 0;
}
