/** Which mapping a command is about: the one named, or that of the only source. */

import { type ConfigOptions, loadConfig, loadMapping } from "../config.ts";
import { PrickleError } from "../core/errors.ts";
import type { MappingSource } from "../core/mapping/compile.ts";

/** A shipped mapping by its name, or one by its path. @throws NOT_FOUND, USAGE, CONFIG_INVALID */
export function chooseMapping(named: string | undefined, configOptions: ConfigOptions): MappingSource {
  if (named !== undefined) return loadMapping(named, configOptions);
  const { sources } = loadConfig(configOptions);
  const [only, ...others] = sources;
  if (only && others.length === 0) return only.mapping;
  throw new PrickleError(
    "USAGE",
    `There are ${sources.length} sources: ${sources.map(({ name }) => name).join(", ")}.`,
    {
      hint: "Name the mapping: a shipped one such as segment, or a path such as ./mappings/own.yaml.",
    },
  );
}

/** Of all sources, each once. @throws CONFIG_INVALID */
export function allMappings(configOptions: ConfigOptions): readonly MappingSource[] {
  const { sources } = loadConfig(configOptions);
  return [...new Map(sources.map(({ mapping }) => [mapping.file, mapping])).values()];
}
