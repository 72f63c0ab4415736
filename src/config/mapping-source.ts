/** A mapping that reads files without a source in the configuration. */

import type { Config } from "../config.ts";
import type { MappingSource } from "../core/mapping/compile.ts";
import type { PushSourceConfig } from "./source-config.ts";

/** The configuration with a source of the mapping's name, that nobody can call; as it is where it has one. */
export function withMappingSource(config: Config, mapping: MappingSource): Config {
  const { name } = mapping;
  if (config.sources.some((source) => source.name === name)) return config;
  const closed = { writeKeys: [], anyWriteKey: false, webhook: null, maxEventsPerRun: null } as const;
  const source: PushSourceConfig = { type: "segment", name, mapping, ...closed };
  return { ...config, sources: [...config.sources, source] };
}
