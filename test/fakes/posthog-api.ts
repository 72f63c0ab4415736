/**
 * PostHog's private API: a project's settings, group types and groups, and `delete_property`. Refuses what the real one
 * refuses, unknown parameters too (seen 2026-11).
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "./posthog-failures.ts";
import { createLimiter, type Limiter, type Span } from "./posthog-limits.ts";
import type { ProjectSettings } from "./posthog-rules.ts";
import type { PosthogStore } from "./posthog-store.ts";

export interface PrivateApi {
  projectId: number;
  /** Personal key → scopes. */
  readonly scopesOf: Map<string, readonly string[]>;
  /** Paths asked for. */
  readonly requests: string[];
  /** Until it is null again. */
  failure: Failure | null;
  /** The next requests fail so, one after the other; null lets one pass. */
  readonly script: (Failure | null)[];
  /** What the project says of itself, beside its id. */
  settings: ProjectSettings;
  /** How often it may be asked; more is answered by 429. */
  limits: readonly Span[];
  readonly limiter: Limiter;
  /** Groups of a page. */
  pageSize: number;
  /** ISO 8601, of every group type. */
  groupTypesSince: string;
}

/** `now`: in ms UTC. */
export function createPrivateApi(now: () => number): PrivateApi {
  return {
    projectId: 7,
    scopesOf: new Map(),
    requests: [],
    failure: null,
    script: [],
    settings: { name: "Shop", api_token: "phc_test" },
    limits: [
      { ms: 60_000, most: 480 },
      { ms: 3_600_000, most: 4800 },
    ],
    limiter: createLimiter(now),
    pageSize: 100,
    groupTypesSince: "2026-10-01T00:00:00Z",
  };
}

interface Asked {
  readonly api: PrivateApi;
  readonly store: PosthogStore;
  readonly params: URLSearchParams;
  readonly body: string;
}

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly scope: string;
  readonly params: readonly string[];
  /** Throws `refuse`. */
  answer(asked: Asked): unknown;
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/": {
    method: "GET",
    scope: "project:read",
    params: [],
    answer: ({ api }) => ({ id: api.projectId, ...api.settings }),
  },
  "/groups_types/": {
    method: "GET",
    scope: "group:read",
    params: [],
    answer: ({ api, store }) =>
      store.groupTypes.flatMap((type, index) => (type === null ? [] : [listed(type, index, api.groupTypesSince)])),
  },
  "/groups/": {
    method: "GET",
    scope: "group:read",
    params: ["group_type_index", "search", "group_key", "cursor"],
    answer: pageOf,
  },
  "/groups/delete_property": {
    method: "POST",
    scope: "group:write",
    params: ["group_type_index", "group_key"],
    answer({ store, params, body }) {
      const name: unknown = JSON.parse(body).$unset;
      if (typeof name !== "string") throw refuse(400, "invalid", "$unset is required.");
      const isThere = store.removeProperty(indexIn(params), params.get("group_key") ?? "", name);
      if (!isThere) throw refuse(404, "not_found", "Not found.");
      return {};
    },
  },
};

export function answerPrivateApi(
  api: PrivateApi,
  store: PosthogStore,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): void {
  const waitMs = api.limiter.take("project", api.limits);
  const [status, answer] = waitMs > 0 ? throttled(waitMs) : answerOf(api, store, request, body);
  const headers = waitMs > 0 ? { "retry-after": `${Math.ceil(waitMs / 1000)}` } : {};
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(answer));
}

function throttled(waitMs: number): [number, unknown] {
  const detail = `Request was throttled. Expected available in ${Math.ceil(waitMs / 1000)} seconds.`;
  return [429, { type: "throttled_error", code: "throttled", detail, attr: null }];
}

function answerOf(api: PrivateApi, store: PosthogStore, request: IncomingMessage, body: string): [number, unknown] {
  try {
    const { pathname, searchParams: params } = new URL(request.url ?? "/", "http://localhost");
    const base = `/api/projects/${api.projectId}`;
    const endpoint = pathname.startsWith(base) ? ENDPOINTS[pathname.slice(base.length)] : undefined;
    checkKey(api, request, endpoint?.scope ?? "group:read");
    if (!endpoint) throw refuse(404, "not_found", "Not found.");
    if (request.method !== endpoint.method) throw refuse(405, "method_not_allowed", "Method not allowed.");
    const unknown = [...params.keys()].find((name) => !endpoint.params.includes(name));
    if (unknown !== undefined) throw refuse(400, "invalid_input", `Unknown parameter ${unknown}.`);
    return [200, endpoint.answer({ api, store, params, body })];
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return [thrown.status, { type: "error", code: thrown.code, detail: thrown.message, attr: null }];
  }
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

function refuse(status: number, code: string, detail: string): Refused {
  return new Refused(status, code, detail);
}

function checkKey({ scopesOf }: PrivateApi, { headers }: IncomingMessage, scope: string): void {
  const key = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (key === undefined) throw refuse(401, "not_authenticated", "Authentication credentials were not provided.");
  const scopes = scopesOf.get(key);
  if (!scopes) throw refuse(401, "authentication_failed", `Personal API key ${key} is invalid.`);
  if (!scopes.includes(scope)) throw refuse(403, "permission_denied", `API key missing required scope '${scope}'`);
}

function indexIn(params: URLSearchParams): number {
  const index = params.get("group_type_index");
  if (index === null || !/^\d+$/.test(index)) throw refuse(400, "invalid_input", "group_type_index is required.");
  return Number(index);
}

/** The newest group first; the cursor names the last of the page before, and when it was made. */
function pageOf({ api, store, params }: Asked): unknown {
  const index = indexIn(params);
  const type = store.groupTypes[index];
  const newestFirst = [...store.groups]
    .map(([name, properties], at) => ({ type: name.split("\0")[0], key: name.split("\0")[1] ?? "", properties, at }))
    .filter((group) => group.type === type)
    .reverse();
  const cursor = params.get("cursor");
  const after = cursor === null ? null : JSON.parse(Buffer.from(cursor, "base64url").toString());
  const rest = newestFirst.filter(({ at, key }) => after === null || at < after.c || (at === after.c && key < after.k));
  const page = rest.slice(0, api.pageSize);
  const last = page.at(-1);
  const next = last && rest.length > page.length ? { c: last.at, k: last.key } : null;
  const query = (more: object) => new URLSearchParams({ ...more, group_type_index: `${index}` }).toString();
  return {
    next:
      next &&
      `http://posthog.internal/groups/?${query({ cursor: Buffer.from(JSON.stringify(next)).toString("base64url") })}`,
    previous: null,
    results: page.map(({ key, properties }) => ({
      group_type_index: index,
      group_key: key,
      group_properties: properties,
      created_at: "2026-10-01T00:00:00Z",
    })),
  };
}

function listed(groupType: string, index: number, since: string) {
  return {
    group_type: groupType,
    group_type_index: index,
    name_singular: null,
    name_plural: null,
    detail_dashboard: null,
    default_columns: null,
    created_at: since,
  };
}
