/** The group types a PostHog project has: `GET /api/projects/:id/groups_types/` (facts: PostHog's private API, 7, 2026-11). */

import * as z from "zod";
import type { ProjectGroupType } from "../../core/group-slots.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "../../platform/http-client.ts";
import { quote } from "./answer.ts";

export interface ProjectOptions {
  /** Where messages go; the private API of PostHog's cloud is on another host. */
  readonly host: string;
  /** Default: what belongs to `host`. A path in it is kept. */
  readonly apiHost?: string | undefined;
  readonly projectId: number;
  /** `phx_…` with the scope `group:read`. Never part of a reason. */
  readonly personalApiKey: string;
  /** Goes into the user agent. */
  readonly version: string;
  /** For all of it, in ms. */
  readonly timeoutMs?: number;
}

export type ProjectAnswer =
  | { readonly groupTypes: readonly ProjectGroupType[] }
  /** Why they are not known, and what to do, each in one sentence. */
  | { readonly reason: string; readonly hint: string };

const DEFAULT_TIMEOUT_MS = 5_000;
/** Five types take a few KB; columns and dashboards of theirs come along. */
const MAX_ANSWER_BYTES = 1_000_000;
const HOSTS_OF_CLOUD = /^(us|eu)\.i\.posthog\.com$/;

const groupTypesSchema = z
  .array(z.object({ group_type: z.string().min(1), group_type_index: z.int().min(0).max(1000) }))
  .max(1000);

/** Never rejects: what is wrong with PostHog, or with the key, is an answer. */
export async function readProjectGroupTypes(options: ProjectOptions): Promise<ProjectAnswer> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { origin, base, headers } = privateApi(options);
  const path = `${base}/groups_types/`;
  const client = createHttpClient({ origin, connections: 1, timeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES });
  try {
    const answer = await client.get({ path, headers, signal: AbortSignal.timeout(timeoutMs) });
    return answer.status === 200 ? readList(answer.body, origin) : refusal(answer, origin, options);
  } catch (thrown) {
    const why = thrown instanceof HttpFailure ? thrown.message : "the request could not be made";
    return { reason: `${origin} was not reached: ${why}`, hint: "apiHost names another address of the private API." };
  } finally {
    await client.close();
  }
}

/** Where the project's calls are, under `base` of `origin`, and what each carries. */
export function privateApi({ projectId, personalApiKey, version, ...address }: ProjectOptions) {
  const { origin, pathname } = apiAddress(address);
  return {
    origin,
    base: `${pathname.replace(/\/+$/, "")}/api/projects/${projectId}`,
    headers: { authorization: `Bearer ${personalApiKey}`, "user-agent": `prickle/${version}` },
  };
}

/** PostHog's cloud answers its private API on another host than it takes events on. */
export function apiAddress({ host, apiHost }: Pick<ProjectOptions, "host" | "apiHost">): URL {
  if (apiHost !== undefined) return new URL(apiHost);
  const url = new URL(host);
  url.hostname = url.hostname.replace(HOSTS_OF_CLOUD, "$1.posthog.com");
  return url;
}

function readList(body: string, origin: string): ProjectAnswer {
  const parsed = groupTypesSchema.safeParse(jsonOf(body));
  if (!parsed.success) return { reason: `${origin} answered with no list of group types`, hint: "Is apiHost right?" };
  return {
    groupTypes: parsed.data.map(({ group_type, group_type_index }) => ({
      groupType: group_type,
      index: group_type_index,
    })),
  };
}

/** PostHog says what is missing in `detail`, as in "API key missing required scope 'group:read'". */
function refusal(
  { status, body }: HttpAnswer,
  origin: string,
  { personalApiKey, projectId }: ProjectOptions,
): ProjectAnswer {
  const answered = `${origin} answered ${status}: ${detailOf(body).replaceAll(personalApiKey, "…")}`;
  if (status === 401 || status === 403) {
    if (!personalApiKey.startsWith("phx_"))
      return { reason: `${wrongKey(personalApiKey)} (${answered})`, hint: MAKE_KEY };
    if (/\bscope\b/.test(body)) return { reason: `the key lacks a scope (${answered})`, hint: MAKE_KEY };
    const what = status === 401 ? "PostHog does not know the key" : `the key may not read project ${projectId}`;
    return { reason: `${what} (${answered})`, hint: MAKE_KEY };
  }
  if (status === 404)
    return { reason: `there is no project ${projectId} (${answered})`, hint: "Are projectId and apiHost right?" };
  return { reason: answered, hint: status >= 500 || status === 429 ? "Try again later." : "Is apiHost right?" };
}

const MAKE_KEY =
  "Make a personal API key (phx_…) with the scope group:read for this project, in PostHog's user settings.";

function wrongKey(key: string): string {
  const what = key.startsWith("phc_") ? "a project token (phc_…) stands" : "something else stands";
  return `${what} where a personal API key (phx_…) belongs`;
}

function detailOf(body: string): string {
  const parsed = z.object({ detail: z.string() }).safeParse(jsonOf(body));
  return quote(parsed.success ? parsed.data.detail : body);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
