/** The text of a mapping file: read as YAML, and where in it a problem stands. */

import { type Document, isNode, LineCounter, parseDocument, type YAMLError } from "yaml";
import { type PathSegment, type PlacedProblem, placeText, type Severity } from "./scope.ts";
import { checkYaml } from "./yaml-checks.ts";

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
  | {
      readonly content: unknown;
      /** Found in the YAML itself. */
      readonly found: readonly PlacedProblem[];
      place(problems: readonly PlacedProblem[]): readonly MappingProblem[];
    }
  | { readonly problems: readonly MappingProblem[] };

const MAX_CHARACTERS = 1_000_000;

/** Reads the YAML; content that a mapping cannot have, such as an anchor within itself, is a problem. Never throws. */
export function readMappingText(text: string, file: string): MappingText {
  const whole = (message: string) => ({
    problems: [{ severity: "error" as const, file, line: 1, column: 1, path: "", message }],
  });
  if (text.length > MAX_CHARACTERS) return whole(`found ${text.length} characters; ${MAX_CHARACTERS} are allowed`);
  try {
    return readYaml(text, file);
  } catch (thrown) {
    if (thrown instanceof RangeError) return whole("nested too deeply to be read");
    return whole(thrown instanceof Error ? firstLine(thrown.message) : String(thrown));
  }
}

function readYaml(text: string, file: string): MappingText {
  const lines = new LineCounter();
  // Keys written twice are looked for with the rest, so that they do not keep it from being read.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "error" });
  const place = (found: readonly PlacedProblem[]) => placeAll(found, document, lines, file);
  const unreadable = document.errors.map(problemOf);
  const tooDeep = unreadable.find(({ message }) => message.startsWith(STACK_FULL));
  if (tooDeep) return { problems: place([{ ...tooDeep, message: "nested too deeply to be read" }]) };
  if (unreadable.length > 0) return { problems: place(unreadable) };
  const { problems, isReadable } = checkYaml(document);
  const found = [...problems, ...document.warnings.map(problemOf)];
  if (!isReadable) return { problems: place(found) };
  return { content: document.toJS({ maxAliasCount: -1 }) ?? null, found, place };
}

/** As yaml says it, one time for each level it leaves. */
const STACK_FULL = "Maximum call stack size exceeded";

function problemOf({ name, code, pos, message }: YAMLError): PlacedProblem {
  const severity = name === "YAMLWarning" ? "warning" : "error";
  const said =
    code === "MULTIPLE_DOCS"
      ? "a second document begins here; one is allowed"
      : firstLine(message).replace(/ at line \d+, column \d+:?$/, "");
  return { at: [], severity, message: said, offset: pos[0] };
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
    .map(({ at, severity, message, offset = offsetOf(document, at) }) => {
      return { severity, file, ...placeOf(lines, offset), path: placeText(at), message };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
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
