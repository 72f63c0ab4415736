/** Finds the mapping a source names: shipped with prickle, or a file of the reader's own. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { MappingSource } from "../core/mapping/compile.ts";
import { type Finding, nearestWord, type Path } from "./problem.ts";

/** Beside `src/` in a checkout and beside `dist/` in the package. */
const SHIPPED = fileURLToPath(new URL("../../mappings/", import.meta.url));

export interface MappingPlaces {
  /** What a relative path starts from. */
  readonly directory: string;
  /** How a file is named to the reader. */
  readonly display: (path: string) => string;
}

/** A name without a slash and without an ending is a shipped mapping, all else a path. */
export function readMappingFile(
  mapping: string,
  at: Path,
  { directory, display }: MappingPlaces,
): MappingSource | Finding {
  const isName = /^[^/\\.]+$/.test(mapping);
  const path = isName ? join(SHIPPED, `${mapping}.yaml`) : isAbsolute(mapping) ? mapping : resolve(directory, mapping);
  try {
    return { name: basename(path, extname(path)), text: readFileSync(path, "utf8"), file: display(path) };
  } catch (thrown) {
    const names = shippedNames();
    const why =
      thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT" ? "is not there" : "cannot be read";
    return {
      at,
      found: isName ? `no shipped mapping ${JSON.stringify(mapping)}` : `${display(path)} ${why}`,
      allowed: `${names.join(", ")}, or a path such as ./mappings/own.yaml`,
      hint: isName ? nearestWord(mapping, names) : `Paths start from ${display(directory) || dirname(path)}.`,
    };
  }
}

function shippedNames(): readonly string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith(".yaml") && !file.endsWith(".examples.yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}
