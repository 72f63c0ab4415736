/** `doctor`: looks at every PostHog project of the configuration, without a ledger. */

import { randomUUID } from "node:crypto";
import type { Config, DestinationConfig } from "../config.ts";
import type { Checkup } from "../core/checkup.ts";
import type { Clock } from "../core/clock.ts";
import type { DeclaredGroupTypes } from "../core/group-slots.ts";
import { compileMapping } from "../core/mapping/compile.ts";
import { examineDestination } from "../destinations/posthog/doctor/examine.ts";
import { systemClock } from "../platform/clock.ts";
import { VERSION } from "../platform/version.ts";
import { createProjectApis, type ProjectApis } from "./project-apis.ts";

/** One for each destination of type posthog, all at once. @throws MAPPING_INVALID */
export async function examine(
  { sources, destinations }: Pick<Config, "sources" | "destinations">,
  clock: Pick<Clock, "now"> = systemClock,
): Promise<readonly Checkup[]> {
  const declared = sources.map(({ name, mapping }) => {
    return { source: name, file: mapping.file, groupTypes: compileMapping(mapping).groupTypes };
  });
  const projectApiOf = createProjectApis(clock.now);
  const posthogs = destinations.filter((one) => one.type === "posthog");
  return Promise.all(posthogs.map((settings) => examineOne(settings, { declared, projectApiOf, clock })));
}

interface Examining {
  readonly declared: readonly DeclaredGroupTypes[];
  readonly projectApiOf: ProjectApis;
  readonly clock: Pick<Clock, "now">;
}

async function examineOne(
  settings: Extract<DestinationConfig, { readonly type: "posthog" }>,
  { declared, projectApiOf, clock }: Examining,
): Promise<Checkup> {
  const { name, host, token, protocol } = settings;
  const api = projectApiOf(settings);
  try {
    const checks = await examineDestination({
      host,
      token: token.reveal(),
      version: VERSION,
      protocol,
      declared,
      api,
      now: clock.now,
      newRequestId: randomUUID,
    });
    return { destination: name, checks };
  } finally {
    await api?.close();
  }
}
