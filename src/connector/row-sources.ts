/** Opens the sources that hold rows, as the configuration says. */

import type { PullSourceConfig } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { portableMapping } from "../core/mapping/portable.ts";
import { murmur128 } from "../core/murmur.ts";
import type { RowSource } from "../core/row-source.ts";
import type { OpenHubspot } from "./hubspot-source.ts";

export interface RowSourceParts {
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** See HubspotParts. */
  readonly dataDir: string;
}

export type OpenRowSource = (source: PullSourceConfig) => Promise<RowSource>;

/** What a source needs is loaded when it is asked: most commands ask none. */
export function createRowSourceOpener({ dataDir, ...parts }: RowSourceParts): OpenRowSource {
  let hubspot: Promise<OpenHubspot> | null = null;

  async function loadHubspot(): Promise<OpenHubspot> {
    const { createHubspotOpener } = await import("./hubspot-source.ts");
    return createHubspotOpener({ ...parts, dataDir });
  }

  return async (source) => {
    const { settings } = source;
    if (settings.type === "hubspot") {
      hubspot ??= loadHubspot();
      return (await hubspot)(source, settings);
    }
    const { openOtherSource } = await import("./other-sources.ts");
    return openOtherSource(settings, parts);
  };
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
