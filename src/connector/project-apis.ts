/** The private APIs of the PostHog projects that can be asked: one budget a project, whoever asks and for whatever. */

import type { DestinationConfig } from "../config.ts";
import { projectAddress } from "../destinations/posthog/private-api/address.ts";
import { createBudgets } from "../destinations/posthog/private-api/budget.ts";
import { openProjectApi, type ProjectApi } from "../destinations/posthog/private-api/client.ts";
import { VERSION } from "../platform/version.ts";

/** To be closed by who opens it. Null without a personal key, and for what is no PostHog. */
export type ProjectApis = (settings: DestinationConfig) => ProjectApi | null;

/** Of a hundred groups: each has a few KB as a rule, and less than a megabyte. */
const PAGE_BYTES = 100_000_000;

export function createProjectApis(now: () => number): ProjectApis {
  const budgetOf = createBudgets(now);
  return (settings) => {
    if (settings.type !== "posthog") return null;
    const { host, apiHost, projectId, personalApiKey } = settings;
    if (!personalApiKey || projectId === undefined) return null;
    const address = { host, apiHost, projectId };
    const { origin, base } = projectAddress(address);
    const key = personalApiKey.reveal();
    return openProjectApi({
      ...address,
      personalApiKey: key,
      version: VERSION,
      budget: budgetOf(`${origin}${base}`),
      maxAnswerBytes: PAGE_BYTES,
      now,
    });
  };
}
