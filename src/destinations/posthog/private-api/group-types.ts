/** The group types a PostHog project has: `GET /api/projects/:id/groups_types/` (facts: PostHog's private API, 7, 2026-11). */

import * as z from "zod";
import type { ProjectGroupType } from "../../../core/group-slots.ts";
import { openProjectApi, type ProjectApi, type ProjectOptions } from "./client.ts";
import { type ApiFailure, failureOf, jsonIn, unexpected } from "./failure.ts";

export interface DatedGroupType extends ProjectGroupType {
  /** Of the oldest event that PostHog shows under the type, ms UTC; null: the server does not say. */
  readonly createdAt: number | null;
}

export type ProjectAnswer =
  | { readonly groupTypes: readonly ProjectGroupType[] }
  /** Why they are not known, and what to do, each in one sentence. */
  | { readonly reason: string; readonly hint: string };

const DEFAULT_TIMEOUT_MS = 5_000;

const groupTypesSchema = z
  .array(
    z.object({
      group_type: z.string().min(1),
      group_type_index: z.int().min(0).max(1000),
      created_at: z.string().nullish(),
    }),
  )
  .max(1000);

/** Never rejects: what is wrong with PostHog, or with the key, is an answer. */
export async function readProjectGroupTypes(options: ProjectOptions): Promise<ProjectAnswer> {
  const api = openProjectApi({ timeoutMs: DEFAULT_TIMEOUT_MS, ...options, now: Date.now });
  try {
    const answer = await readGroupTypes(api);
    if ("reason" in answer) return { reason: answer.reason, hint: answer.hint };
    return { groupTypes: answer.groupTypes.map(({ groupType, index }) => ({ groupType, index })) };
  } finally {
    await api.close();
  }
}

/** The same, of an API that is open. */
export async function readGroupTypes(
  api: ProjectApi,
  signal?: AbortSignal,
): Promise<{ readonly groupTypes: readonly DatedGroupType[] } | ApiFailure> {
  const answer = await api.get("/groups_types/", signal);
  if (answer.kind !== "answered" || answer.status !== 200) return failureOf(answer, api, "group:read");
  const parsed = groupTypesSchema.safeParse(jsonIn(answer.body));
  if (!parsed.success) return unexpected(api, "list of group types");
  return {
    groupTypes: parsed.data.map(({ group_type, group_type_index, created_at }) => {
      const createdAt = Date.parse(created_at ?? "");
      return { groupType: group_type, index: group_type_index, createdAt: Number.isNaN(createdAt) ? null : createdAt };
    }),
  };
}
