/** `GET groups_types` and `POST groups/delete_property` of PostHog's private API, which refuses as the real one does (seen 2026-11). */

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

const READ = "group:read";
const WRITE = "group:write";
const DELETE_PROPERTY = /^\/api\/projects\/(\d+)\/groups\/delete_property\?group_type_index=(\d+)&group_key=([^&]*)$/;

/** `{"$unset": name}`: of a group that is there. */
export function answerDeleteProperty(
  api: PrivateApi,
  remove: (index: number, groupKey: string, name: string) => boolean,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): void {
  const [, project, index, key = ""] = DELETE_PROPERTY.exec(request.url ?? "") ?? [];
  const name: unknown = JSON.parse(body).$unset;
  const wrong =
    refusedKey(api, request, WRITE) ??
    (Number(project) === api.projectId ? null : ([404, "not_found", "Not found."] as const)) ??
    (typeof name === "string" ? null : ([400, "invalid", "$unset is required."] as const)) ??
    (remove(Number(index), decodeURIComponent(key), String(name)) ? null : ([404, "not_found", "Not found."] as const));
  const [status, code, detail] = wrong ?? [200];
  const answer = wrong ? { type: "error", code, detail, attr: null } : {};
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

export function isDeleteProperty({ method, url = "" }: IncomingMessage): boolean {
  return method === "POST" && DELETE_PROPERTY.test(url);
}

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

type Refused = readonly [status: number, code: string, detail: string];

function refusalOf(api: PrivateApi, request: IncomingMessage): Refused | null {
  const refused = refusedKey(api, request, READ);
  if (refused) return refused;
  if (request.method !== "GET") return [405, "method_not_allowed", "Method not allowed."];
  return request.url === `/api/projects/${api.projectId}/groups_types/` ? null : [404, "not_found", "Not found."];
}

function refusedKey({ scopesOf }: PrivateApi, { headers }: IncomingMessage, scope: string): Refused | null {
  const key = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (key === undefined) return [401, "not_authenticated", "Authentication credentials were not provided."];
  const scopes = scopesOf.get(key);
  if (!scopes) return [401, "authentication_failed", `Personal API key ${key} is invalid.`];
  return scopes.includes(scope) ? null : [403, "permission_denied", `API key missing required scope '${scope}'`];
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
