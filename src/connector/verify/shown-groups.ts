/** The groups that destinations show: a PostHog project by its private API, the engine by asking it. */

import type { DestinationConfig } from "../../config.ts";
import { PrickleError } from "../../core/errors.ts";
import type { ApiFailure } from "../../destinations/posthog/private-api/failure.ts";
import { readGroupPage, type ShownPage } from "../../destinations/posthog/private-api/group-pages.ts";
import { readGroupTypes } from "../../destinations/posthog/private-api/group-types.ts";
import type { Engine } from "../../engine/open.ts";
import type { ProjectApis } from "../project-apis.ts";
import { requireEngine } from "../require-engine.ts";

export interface ShownGroups {
  /** With their indexes. */
  groupTypes(signal: AbortSignal): Promise<ReadonlyMap<string, number> | ApiFailure>;
  /** Groups of a type, page by page, in whatever order. */
  page(groupType: number, cursor: string | null, signal: AbortSignal): Promise<ShownPage | ApiFailure>;
  /** Whether it shows what it took some time later. */
  readonly isLate: boolean;
  close(): Promise<void>;
}

export interface ShownGroupsParts {
  readonly engine: Engine | null;
  readonly projectApiOf: ProjectApis;
}

const ENGINE_PAGE = 1_000;

/** @throws CONFIG_INVALID without a key to ask with, USAGE for what shows nothing */
export function openShownGroups(settings: DestinationConfig, { engine, projectApiOf }: ShownGroupsParts): ShownGroups {
  switch (settings.type) {
    case "engine":
      return ofEngine(requireEngine(engine));
    case "posthog":
      return ofProject(settings.name, projectApiOf(settings));
    case "console":
      throw new PrickleError("USAGE", `${settings.name} keeps nothing that could be compared.`, {
        hint: "A destination of type posthog or engine can be verified.",
      });
  }
}

function ofProject(name: string, api: ReturnType<ProjectApis>): ShownGroups {
  if (!api) {
    throw new PrickleError("CONFIG_INVALID", `${name} has no personalApiKey and projectId: nothing can be asked.`, {
      hint: "Make a personal API key (phx_…) with the scope group:read for this project, in PostHog's user settings.",
    });
  }
  return {
    isLate: true,
    async groupTypes(signal) {
      const answer = await readGroupTypes(api, signal);
      if ("reason" in answer) return answer;
      return new Map(answer.groupTypes.map(({ groupType, index }) => [groupType, index]));
    },
    page: (index, cursor, signal) => readGroupPage(api, index, cursor, signal),
    close: () => api.close(),
  };
}

function ofEngine(engine: Engine): ShownGroups {
  const types = new Map<number, string>();
  return {
    isLate: false,
    async groupTypes() {
      const found = await engine.groupTypes();
      for (const { groupType, index } of found) types.set(index, groupType);
      return new Map(found.map(({ groupType, index }) => [groupType, index]));
    },
    async page(index, cursor) {
      const offset = Number(cursor ?? 0);
      const groupType = types.get(index) ?? "";
      const { groups, total } = await engine.groups({ groupType, limit: ENGINE_PAGE, offset });
      const next = offset + groups.length;
      return { groups, cursor: next < total && groups.length > 0 ? `${next}` : null };
    },
    close: async () => undefined,
  };
}
