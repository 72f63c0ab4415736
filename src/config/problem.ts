/** What is wrong with a configuration, and where: plain JSON, for people and for editors. */

import { closest, distance } from "fastest-levenshtein";

export interface ConfigProblem {
  /** With an error it does not start; a warning is only said. */
  readonly severity: "error" | "warning";
  /** As the reader can open it: relative to the working directory where it is inside. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As in `destinations.posthog.token`; empty for the file as a whole. */
  readonly path: string;
  /** In words. Never a secret, and never a value of the environment. */
  readonly found: string;
  /** In words; empty where the finding says it all. */
  readonly allowed: string;
  readonly hint: string | null;
}

export type Path = readonly (string | number)[];

/** Before it is placed in the file. */
export interface Finding {
  readonly at: Path;
  /** The place of a key rather than of its value. */
  readonly atKey?: boolean;
  readonly found: string;
  readonly allowed: string;
  readonly hint?: string | null;
}

/** `file:line:column path: found …; allowed: …. hint`, a warning marked as one. */
export function problemLine({ severity, file, line, column, path, found, allowed, hint }: ConfigProblem): string {
  const where = `${file}:${line}:${column}${path === "" ? "" : ` ${path}`}`;
  return `${where}: ${severity === "warning" ? "warning: " : ""}${found}${allowed === "" ? "" : `; allowed: ${allowed}`}${hint === null ? "" : `. ${hint}`}`;
}

export function pathText(at: Path): string {
  return at.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    "",
  );
}

/** `Did you mean x?` when an allowed word is near, else null. */
export function nearestWord(found: string, allowed: readonly string[]): string | null {
  if (allowed.length === 0 || found.length > 60) return null;
  const near = closest(found.toLowerCase(), [...allowed]);
  return distance(found.toLowerCase(), near.toLowerCase()) <= Math.max(2, near.length / 3)
    ? `Did you mean ${near}?`
    : null;
}
