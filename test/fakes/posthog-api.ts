/** `GET /api/projects/:id/groups_types/` of PostHog's private API, which refuses as the real one does (seen 2026-11). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "./posthog.ts";

export interface PrivateApi {
  projectId: number;
  /** Personal key → scopes. */
  readonly scopesOf: Map<string, readonly string[]>;
  /** Paths asked for. */
  readonly requests: string[];
  /** Until it is null again. */
  failure: Failure | null;
}

const SCOPE = "group:read";

export function answerGroupTypes(
  api: PrivateApi,
  groupTypes: readonly (string | null)[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [status, code, detail] = refusalOf(api, request) ?? [200];
  const list = groupTypes.flatMap((type, index) => (type === null ? [] : [listed(type, index)]));
  const body = status === 200 ? list : { type: "authentication_error", code, detail, attr: null };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refusalOf(
  { projectId, scopesOf }: PrivateApi,
  { headers, method, url }: IncomingMessage,
): readonly [status: number, code: string, detail: string] | null {
  const key = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (key === undefined) return [401, "not_authenticated", "Authentication credentials were not provided."];
  const scopes = scopesOf.get(key);
  if (!scopes) return [401, "authentication_failed", `Personal API key ${key} is invalid.`];
  if (!scopes.includes(SCOPE)) return [403, "permission_denied", `API key missing required scope '${SCOPE}'`];
  if (method !== "GET") return [405, "method_not_allowed", "Method not allowed."];
  return url === `/api/projects/${projectId}/groups_types/` ? null : [404, "not_found", "Not found."];
}

function listed(groupType: string, index: number) {
  return {
    group_type: groupType,
    group_type_index: index,
    name_singular: null,
    name_plural: null,
    detail_dashboard: null,
    default_columns: null,
    created_at: "2026-10-01T00:00:00Z",
  };
}
