/** The groups a PostHog project shows, page by page: `GET /api/projects/:id/groups/` (facts: PostHog's private API, 7, 2026-11). */

import * as z from "zod";
import { isJsonObject, type JsonObject } from "../../../core/json.ts";
import type { ProjectApi } from "./client.ts";
import { type ApiFailure, failureOf, jsonIn, unexpected } from "./failure.ts";

export interface ShownGroup {
  readonly groupKey: string;
  readonly properties: Readonly<JsonObject>;
}

export interface ShownPage {
  readonly groups: readonly ShownGroup[];
  /** Of the next page; null: this was the last. */
  readonly cursor: string | null;
}

const pageSchema = z.object({
  next: z.string().nullable(),
  results: z
    .array(z.object({ group_key: z.string(), group_properties: z.custom<JsonObject>(isJsonObject).nullable() }))
    .max(100_000),
});

/** In the order of the project: the newest first. Groups made meanwhile may be missed, none comes twice for it. */
export async function readGroupPage(
  api: ProjectApi,
  index: number,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<ShownPage | ApiFailure> {
  const asked = new URLSearchParams({ group_type_index: `${index}`, ...(cursor === null ? {} : { cursor }) });
  const answer = await api.get(`/groups/?${asked}`, signal);
  if (answer.kind !== "answered" || answer.status !== 200) return failureOf(answer, api, "group:read");
  const parsed = pageSchema.safeParse(jsonIn(answer.body));
  if (!parsed.success) return unexpected(api, "page of groups");
  const { next, results } = parsed.data;
  const groups = results.map(({ group_key, group_properties }) => {
    return { groupKey: group_key, properties: group_properties ?? {} };
  });
  return { groups, cursor: next === null ? null : cursorIn(next, api.origin) };
}

/** `next` is an address; whose host may be another behind a proxy. */
function cursorIn(next: string, origin: string): string | null {
  return URL.parse(next, origin)?.searchParams.get("cursor") ?? null;
}
