/** Opens the sources that hold rows, as the configuration says. */

import type { PullSourceConfig } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { portableMapping } from "../core/mapping/portable.ts";
import { murmur128 } from "../core/murmur.ts";
import type { RowSource } from "../core/row-source.ts";
import type { OpenHubspot } from "./hubspot-source.ts";
import { openAttio, openPipedrive, openSalesforce, openSql } from "./other-sources.ts";

export interface RowSourceParts {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly openHubspot: OpenHubspot;
}

export function openRowSource(source: PullSourceConfig, { openHubspot, ...parts }: RowSourceParts): RowSource {
  const { settings } = source;
  switch (settings.type) {
    case "hubspot":
      return openHubspot(source, settings);
    case "salesforce":
      return openSalesforce(settings, parts);
    case "pipedrive":
      return openPipedrive(settings, parts);
    case "attio":
      return openAttio(settings, parts);
    case "sql":
      return openSql(settings, parts);
  }
}

/**
 * Of whatever decides what rows say: the mapping with all it reads, and the settings. Secrets and times are left out, and
 * by which way rows come: they say the same.
 */
export function rowDigest({ mapping, settings }: PullSourceConfig): string {
  const { schedule: _, fullEvery: _full, removedEvery: _removed, maxEventsPerRun: _limit, ...others } = settings;
  const { fullBy: _way, ...deciding } = { fullBy: null, ...others };
  const { source, answers } = portableMapping(mapping);
  const files = [answers.files, answers.presets].map((map) => [...map]);
  return murmur128(JSON.stringify([source.text, files, deciding]))
    .map((word) => (word >>> 0).toString(16).padStart(8, "0"))
    .join("");
}
