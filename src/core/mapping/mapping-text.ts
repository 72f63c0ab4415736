/** The text of a mapping file: read as YAML, and where in it a problem stands. */

import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { type PathSegment, type PlacedProblem, placeText, type Severity } from "./scope.ts";

export interface MappingProblem {
  readonly severity: Severity;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Where in the file, as in `rules[2].event.name`; empty for the file as a whole. */
  readonly path: string;
  /** What was found and what is allowed, in one line. */
  readonly message: string;
}

export type MappingText =
  | { readonly content: unknown; place(problems: readonly PlacedProblem[]): readonly MappingProblem[] }
  | { readonly problems: readonly MappingProblem[] };

const MAX_CHARACTERS = 1_000_000;
/** Guards against anchors that unfold into millions of values. */
const MAX_ALIASES = 100;

/** Reads the YAML; content that a mapping cannot have, such as an anchor within itself, is a problem. Never throws. */
export function readMappingText(text: string, file: string): MappingText {
  const whole = (message: string) => ({
    problems: [{ severity: "error" as const, file, line: 1, column: 1, path: "", message }],
  });
  if (text.length > MAX_CHARACTERS) return whole(`found ${text.length} characters; ${MAX_CHARACTERS} are allowed`);
  try {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines });
    const problems = document.errors.map(({ pos, message }) => ({
      severity: "error" as const,
      file,
      ...placeOf(lines, pos[0]),
      path: "",
      message: firstLine(message),
    }));
    if (problems.length > 0) return { problems };
    const content: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? null;
    if (isCyclic(content, new Set(), new Set())) return whole("an anchor contains itself");
    return { content, place: (found) => placeAll(found, document, lines, file) };
  } catch (thrown) {
    return whole(thrown instanceof Error ? firstLine(thrown.message) : String(thrown));
  }
}

/** `file:line:column path: message`, a warning marked as one. */
export function mappingProblemLine({ severity, file, line, column, path, message }: MappingProblem): string {
  const mark = severity === "warning" ? "warning: " : "";
  return `${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${mark}${message}`;
}

function placeAll(
  problems: readonly PlacedProblem[],
  document: Document,
  lines: LineCounter,
  file: string,
): readonly MappingProblem[] {
  return problems
    .map(({ at, severity, message }) => {
      return { severity, file, ...placeOf(lines, offsetOf(document, at)), path: placeText(at), message };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function isCyclic(value: unknown, open: Set<object>, done: Set<object>): boolean {
  if (typeof value !== "object" || value === null || done.has(value)) return false;
  if (open.has(value)) return true;
  open.add(value);
  const cyclic = Object.values(value).some((inner) => isCyclic(inner, open, done));
  open.delete(value);
  done.add(value);
  return cyclic;
}

/** Of the nearest value around it that stands in the file. */
function offsetOf(document: Document, at: readonly PathSegment[]): number {
  for (let length = at.length; length > 0; length--) {
    const node = document.getIn(at.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function placeOf(lines: LineCounter, offset: number): { readonly line: number; readonly column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
