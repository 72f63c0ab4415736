/** Organizations of Pipedrive's API v2 on loopback, with fields by hash and cursors that stand for a place in the order. */

import {
  type ApiReply,
  type ApiRequest,
  type LoopbackApi,
  Refused,
  requireKnown,
  startLoopbackApi,
} from "./loopback-api.ts";

export interface FakeOrganization {
  readonly id: number;
  readonly name: string;
  readonly website?: string | null;
  readonly add_time: string;
  readonly update_time: string;
  readonly is_deleted: boolean;
  readonly custom_fields: Readonly<Record<string, unknown>>;
}

export interface FakeField {
  readonly code: string;
  name: string;
  readonly options?: readonly { readonly id: number; readonly label: string }[];
}

export interface FakePipedrive extends LoopbackApi {
  readonly fields: FakeField[];
  put(id: number, values: Partial<FakeOrganization>): void;
  /** `listsDeleted`: it stays in lists, marked; else it leaves them. */
  remove(id: number): void;
  live(): readonly FakeOrganization[];
  listsDeleted: boolean;
  /** Cursors given so far are refused. */
  forgetCursors(): void;
}

export const API_TOKEN = "pipedrive-token";
const PARAMETERS = ["limit", "cursor", "updated_since", "updated_until", "sort_by", "sort_direction", "custom_fields"];
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const MOST = 500;

export async function startFakePipedrive(clock: { now(): number }): Promise<FakePipedrive> {
  const stored = new Map<number, FakeOrganization>();
  const fields: FakeField[] = [];
  const settings = { listsDeleted: false };
  let generation = 1;

  function answer({ method, path, query, headers }: ApiRequest): ApiReply {
    const isKnown = headers["x-api-token"] === API_TOKEN || headers.authorization === `Bearer ${API_TOKEN}`;
    if (!isKnown) throw refusal(401, "unauthorized access");
    if (method !== "GET") throw refusal(405, "method not allowed");
    if (path === "/api/v2/organizationFields") return listFields(query);
    if (path === "/api/v1/organizationFields") return listFieldsV1(query);
    if (path === "/api/v2/organizations") return listOrganizations(query);
    throw refusal(404, "Not found");
  }

  function listOrganizations(query: URLSearchParams): ApiReply {
    requireKnown(query.keys(), PARAMETERS, (name) => refusal(400, `Validation failed: ${name}: unknown`));
    const limit = limitOf(query);
    const [since, until] = [timeIn(query, "updated_since"), timeIn(query, "updated_until")];
    const byTime = query.get("sort_by") === "update_time";
    const keyOf = ({ id, update_time }: FakeOrganization) =>
      `${byTime ? update_time : ""} ${String(id).padStart(12, "0")}`;
    const after = cursorIn(query);
    const found = [...stored.values()]
      .filter(({ is_deleted }) => settings.listsDeleted || !is_deleted)
      .filter(({ update_time }) => since === null || update_time >= since)
      .filter(({ update_time }) => until === null || update_time < until)
      .toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))
      .filter((one) => after === null || keyOf(one) > after);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next =
      found.length > limit && last ? Buffer.from(`${generation}|${keyOf(last)}`).toString("base64url") : null;
    return { body: { success: true, data: page, additional_data: { next_cursor: next } } };
  }

  function cursorIn(query: URLSearchParams): string | null {
    const cursor = query.get("cursor");
    if (cursor === null) return null;
    const [made, key] = Buffer.from(cursor, "base64url").toString().split("|");
    if (Number(made) !== generation || key === undefined) throw refusal(400, "Validation failed: cursor: invalid");
    return key;
  }

  function listFields(query: URLSearchParams): ApiReply {
    requireKnown(query.keys(), ["limit", "cursor"], (name) => refusal(400, `Validation failed: ${name}: unknown`));
    const from = Number(query.get("cursor") ?? "0");
    const to = from + Math.min(limitOf(query), 2);
    const data = fields.slice(from, to).map(({ code, name, options }) => ({
      ...{ field_code: code, field_name: name, field_type: options ? "enum" : "varchar", options: options ?? null },
    }));
    return { body: { success: true, data, additional_data: { next_cursor: to < fields.length ? String(to) : null } } };
  }

  function listFieldsV1(query: URLSearchParams): ApiReply {
    requireKnown(query.keys(), ["limit", "start"], (name) => refusal(400, `Validation failed: ${name}: unknown`));
    const from = Number(query.get("start") ?? "0");
    const to = from + Math.min(limitOf(query), 2);
    const data = fields.slice(from, to).map(({ code, name, options }) => ({ key: code, name, options }));
    const more = to < fields.length;
    const pagination = { start: from, limit: 2, more_items_in_collection: more, ...(more ? { next_start: to } : {}) };
    return { body: { success: true, data, additional_data: { pagination } } };
  }

  const api = await startLoopbackApi(answer, clock);
  const now = () => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  function put(id: number, values: Partial<FakeOrganization>): void {
    const before = stored.get(id) ?? { id, name: "", add_time: now(), is_deleted: false, custom_fields: {} };
    stored.set(id, { ...before, update_time: now(), ...values });
  }
  return Object.assign(settings, api, {
    fields,
    put,
    remove: (id: number) => put(id, { is_deleted: true }),
    live: () => [...stored.values()].filter(({ is_deleted }) => !is_deleted),
    forgetCursors: () => {
      generation += 1;
    },
  });
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get("limit") ?? "100");
  if (!(limit >= 1 && limit <= MOST)) throw refusal(400, "Validation failed: limit: out of range");
  return limit;
}

function timeIn(query: URLSearchParams, name: string): string | null {
  const text = query.get(name);
  if (text !== null && !RFC3339.test(text)) throw refusal(400, `Validation failed: ${name}: not RFC 3339`);
  return text;
}

function refusal(status: number, error: string): Refused {
  return new Refused(status, { success: false, error, error_info: "see the documentation", data: null });
}
