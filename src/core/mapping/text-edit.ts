/** Changes to a text of YAML that leave everything else in it as it is. */

import { isPair, type Pair } from "yaml";

/** Characters of the text and what stands there instead. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

export type Span = Omit<Edit, "by">;

/** What is put in gets the line ends the text has. Of edits that begin at one place, what is put in stands where something else was taken out. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const lineEnding = text.includes("\r\n") ? "\r\n" : "\n";
  return edits
    .toSorted((a, b) => b.from - a.from || b.to - a.to)
    .reduce((done, { from, to, by }) => done.slice(0, from) + by.replaceAll("\n", lineEnding) + done.slice(to), text);
}

/** Without the white space after it. */
export function spanOf(node: Pair | Ranged, text: string): Span {
  const [first, last] = isPair(node) ? [node.key, node.value ?? node.key] : [node, node];
  const from = rangeOf(first)[0];
  let to = rangeOf(last)[1];
  while (to > from && /\s/.test(text.charAt(to - 1))) to -= 1;
  return { from, to };
}

export interface Ranged {
  readonly range?: readonly [number, number, number] | null;
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = typeof node === "object" && node !== null && "range" in node ? node.range : null;
  return Array.isArray(range) ? [Number(range[0]), Number(range[1])] : [0, 0];
}

/** Where the line end before the line begins; 0 on the first line. */
export function lineBreakBefore(offset: number, text: string): number {
  const lineFeed = text.lastIndexOf("\n", offset - 1);
  return lineFeed > 0 && text.charAt(lineFeed - 1) === "\r" ? lineFeed - 1 : Math.max(0, lineFeed);
}

/** After the comment that may follow. */
export function lineEnd(offset: number, text: string): number {
  const lineFeed = text.indexOf("\n", offset);
  if (lineFeed < 0) return text.length;
  return text.charAt(lineFeed - 1) === "\r" ? lineFeed - 1 : lineFeed;
}

export function columnOf(offset: number, text: string): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}
