/** What a PostHog project says of itself: `GET /api/projects/:id/` (seen 2026-11). Servers differ in what they show. */

import * as z from "zod";
import type { ProjectApi } from "./client.ts";
import { type ApiFailure, failureOf, jsonIn, unexpected } from "./failure.ts";

export interface ProjectSettings {
  readonly name: string;
  /** The project token; null: not shown. */
  readonly token: string | null;
  /** Events older than so many seconds are dropped; null: none are. Undefined: not shown. */
  readonly dropsOlderThanSeconds: number | null | undefined;
  /** Everything is personless, whatever events say. Undefined: not shown. */
  readonly isPersonless: boolean | undefined;
}

const settingsSchema = z.object({
  name: z.string().default(""),
  api_token: z.string().nullish(),
  drop_events_older_than_seconds: z.number().nullish(),
  drop_events_older_than: z.union([z.number(), z.string()]).nullish(),
  person_processing_opt_out: z.boolean().nullish(),
});

export async function readSettings(
  api: ProjectApi,
  signal?: AbortSignal,
): Promise<{ readonly settings: ProjectSettings } | ApiFailure> {
  const answer = await api.get("/", signal);
  if (answer.kind !== "answered" || answer.status !== 200) return failureOf(answer, api, "project:read");
  const parsed = settingsSchema.safeParse(jsonIn(answer.body));
  if (!parsed.success) return unexpected(api, "project");
  const { name, api_token, drop_events_older_than_seconds, drop_events_older_than, person_processing_opt_out } =
    parsed.data;
  const older = drop_events_older_than_seconds ?? drop_events_older_than;
  const isShown = drop_events_older_than_seconds !== undefined || drop_events_older_than !== undefined;
  return {
    settings: {
      name,
      token: api_token ?? null,
      dropsOlderThanSeconds: isShown ? secondsOf(older ?? null) : undefined,
      isPersonless: person_processing_opt_out ?? undefined,
    },
  };
}

/** A duration as Django writes it, `[days ]hours:minutes:seconds`, or seconds. 0 drops nothing, as in PostHog. */
function secondsOf(older: number | string | null): number | null {
  if (older === null || older === 0) return null;
  if (typeof older === "number") return older;
  const [, days = "0", clock = "0"] = /^(?:(\d+) (?:days?,? ?)?)?([\d:.]+)$/.exec(older) ?? [];
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + seconds || null;
}
