/** The text of prickle.yaml as data, and where in the text each value stands. */

import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { Finding, Path } from "./problem.ts";

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigDocument {
  /** An empty object when the text could not be read. */
  readonly data: unknown;
  /** What keeps the text from being read. */
  readonly problems: readonly (Place & Omit<Finding, "at">)[];
  /** Where `at` stands; where it is missing, the nearest that holds it. */
  place(at: Path, atKey?: boolean): Place;
}

export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map(({ pos, message }) => ({
    ...placeOf(lines, pos[0]),
    found: `unreadable YAML: ${withoutQuotation(message)}`,
    allowed: "",
    hint: text.includes("${") ? `Inside [ ] and { } a \${NAME} needs quotes: "\${NAME}".` : null,
  }));
  const place = (at: Path, atKey = false) => placeOf(lines, offsetOf(document, at, atKey));
  if (problems.length > 0) return { data: {}, problems, place };
  try {
    return { data: document.toJS({ maxAliasCount: 100 }) ?? {}, problems, place };
  } catch (thrown) {
    const reason = thrown instanceof Error ? withoutQuotation(thrown.message) : "";
    return { data: {}, problems: [{ line: 1, column: 1, found: `unreadable YAML: ${reason}`, allowed: "" }], place };
  }
}

/** What the parser quotes from the file may be a secret that does not belong there. */
function withoutQuotation(message: string): string {
  return message.split("\n", 1)[0]?.replace(/:? ?["'`].*$/, "") ?? "";
}

function offsetOf(document: Document, at: Path, atKey: boolean): number {
  for (let length = at.length; length > 0; length--) {
    const part = at.slice(0, length);
    const parent = length === 1 ? document.contents : document.getIn(part.slice(0, -1), true);
    const key = at[length - 1];
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const node = atKey && pair ? pair.key : document.getIn(part, true);
    if (isNode(node) && node.range) return node.range[0];
    if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0];
  }
  return isNode(document.contents) && document.contents.range ? document.contents.range[0] : 0;
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
