/** What the PostHog projects of the configuration have already, asked with their personal API keys. */

import type { DestinationConfig } from "../config.ts";
import type { ProjectGroupType } from "../core/group-slots.ts";
import { readProjectGroupTypes } from "../destinations/posthog/private-api/group-types.ts";
import { VERSION } from "../platform/version.ts";

export interface Project {
  /** Name of the destination. */
  readonly destination: string;
  readonly groupTypes: readonly ProjectGroupType[];
}

export interface ProjectFailure {
  readonly destination: string;
  /** Without secrets, like `hint`. */
  readonly reason: string;
  readonly hint: string;
}

export interface ReadProjects {
  readonly projects: readonly Project[];
  readonly failures: readonly ProjectFailure[];
}

/** Asks all at once, each for a few seconds at most. Destinations without a personal key are left out. Never rejects. */
export async function readProjects(destinations: readonly DestinationConfig[]): Promise<ReadProjects> {
  const projects: Project[] = [];
  const failures: ProjectFailure[] = [];
  const answers = await Promise.all(destinations.map(readProject));
  for (const [index, answer] of answers.entries()) {
    const destination = destinations[index]?.name ?? "";
    if (answer === null) continue;
    if ("groupTypes" in answer) projects.push({ destination, ...answer });
    else failures.push({ destination, ...answer });
  }
  return { projects, failures };
}

async function readProject(settings: DestinationConfig) {
  if (settings.type !== "posthog") return null;
  const { host, apiHost, projectId, personalApiKey } = settings;
  if (!personalApiKey || projectId === undefined) return null;
  return readProjectGroupTypes({ host, apiHost, projectId, personalApiKey: personalApiKey.reveal(), version: VERSION });
}
