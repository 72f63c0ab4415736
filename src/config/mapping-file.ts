/** Finds the mapping a source names: shipped with prickle, or a file of the reader's own. */

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { MappingEnvironment, MappingSource } from "../core/mapping/compile.ts";
import type { Environment } from "./environment.ts";
import { type Finding, nearestWord, type Path } from "./problem.ts";

/** Beside `src/` in a checkout and beside `dist/` in the package. */
const SHIPPED = fileURLToPath(new URL("../../mappings/", import.meta.url));

export interface MappingPlaces {
  /** What a relative path starts from. */
  readonly directory: string;
  /** How a file is named to the reader: a path that `cwd` resolves again. */
  readonly display: (path: string) => string;
  readonly cwd: string;
  /** Where mappings find their secrets. */
  readonly env: Environment;
}

/** A name without a slash and without an ending is a shipped mapping, all else a path. */
export function readMappingFile(mapping: string, at: Path, places: MappingPlaces): MappingSource | Finding {
  const { directory, display } = places;
  const isName = /^[^/\\.]+$/.test(mapping);
  const path = isName ? join(SHIPPED, `${mapping}.yaml`) : isAbsolute(mapping) ? mapping : resolve(directory, mapping);
  try {
    const environment = environmentOf(places);
    return { name: basename(path, extname(path)), text: readFileSync(path, "utf8"), file: display(path), environment };
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

/** What a mapping reads from outside: paths start from the mapping that names them. */
function environmentOf(places: MappingPlaces): MappingEnvironment {
  const folderOf = (file: string) => dirname(resolve(places.cwd, file));
  return {
    secret: (name) => places.env[name] || null,
    readFile(path, from) {
      const file = resolve(folderOf(from), path);
      try {
        return { text: readFileSync(file, "utf8") };
      } catch {
        return { absent: `found no file ${places.display(file)} that can be read` };
      }
    },
    preset(nameOrPath, from) {
      const found = readMappingFile(nameOrPath, [], { ...places, directory: folderOf(from) });
      if ("text" in found) return found;
      return { absent: `found ${found.found}; ${found.allowed} are allowed.${found.hint ? ` ${found.hint}` : ""}` };
    },
  };
}

function shippedNames(): readonly string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith(".yaml") && !file.endsWith(".examples.yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}
