/** Records of Attio's API v2 on loopback: pages by offset, values with their history, merges both ways that its documentation describes. */

import {
  type ApiReply,
  type ApiRequest,
  type LoopbackApi,
  Refused,
  requireKnown,
  startLoopbackApi,
} from "./loopback-api.ts";

export interface FakeAttio extends LoopbackApi {
  /** By a number, from which its id is made. Each text is added to the history of its attribute; null ends what holds. */
  put(number: number, values: Readonly<Record<string, string | number | readonly string[] | null>>): void;
  remove(number: number): void;
  /** `newNumber`: the record that both become; null: the first survives. `isTold`: asked for an old id, it answers with the survivor. */
  merge(survivor: number, other: number, how: { readonly newNumber: number | null; readonly isTold: boolean }): void;
  /** Number → values that hold. */
  live(): ReadonlyMap<number, Readonly<Record<string, unknown>>>;
}

interface Stored {
  readonly number: number;
  readonly createdAt: string;
  readonly values: Map<string, Entry[]>;
}

interface Entry {
  active_from: string;
  active_until: string | null;
  readonly attribute_type: string;
  readonly [place: string]: unknown;
}

export const ACCESS_TOKEN = "attio-token";
const MOST = 500;
const TYPES: Readonly<Record<string, (value: unknown) => object>> = {
  domains: (domain) => ({ attribute_type: "domain", domain, root_domain: domain }),
  tier: (title) => ({ attribute_type: "select", option: { id: { option_id: "1" }, title, is_archived: false } }),
  stage: (title) => ({ attribute_type: "status", status: { id: { status_id: "1" }, title } }),
  arr: (value) => ({ attribute_type: "currency", currency_value: value, currency_code: "EUR" }),
  location: (locality) => ({ attribute_type: "location", locality, country_code: "DE" }),
};

export function attioId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

export async function startFakeAttio(clock: { now(): number }): Promise<FakeAttio> {
  const stored = new Map<number, Stored>();
  const survivors = new Map<string, number>();

  function answer({ method, path, query, headers, text }: ApiRequest): ApiReply {
    if (headers.authorization !== `Bearer ${ACCESS_TOKEN}`) throw refusal(401, "unauthorized", "Invalid access token");
    requireKnown(query.keys(), [], (name) => refusal(400, "validation_type", `unknown parameter ${name}`));
    if (method === "POST" && path === "/v2/objects/companies/records/query") return list(JSON.parse(text));
    const id = /^\/v2\/objects\/companies\/records\/([\w-]+)$/.exec(path)?.[1];
    if (method !== "GET" || id === undefined) throw refusal(404, "not_found", "The object was not found");
    const survivor = stored.get(survivors.get(id) ?? -1);
    const found = [...stored.values()].find(({ number }) => attioId(number) === id) ?? survivor;
    if (!found) throw refusal(404, "not_found", "The record was not found");
    return { body: { data: recordOf(found) } };
  }

  function list({ filter, sorts, limit, offset, ...others }: Record<string, unknown>): ApiReply {
    requireKnown(Object.keys(others), [], (name) => refusal(400, "validation_type", `unknown key ${name}`));
    if (!(Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST)) {
      throw refusal(400, "validation_type", "limit");
    }
    if (JSON.stringify(filter) !== "{}") throw refusal(400, "filter_error", "Error in filter.");
    const isSorted = JSON.stringify(sorts) === '[{"attribute":"created_at","direction":"asc"}]';
    if (!isSorted && JSON.stringify(sorts) !== "[]") throw refusal(400, "validation_type", "sorts");
    const all = [...stored.values()].toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
    return { body: { data: all.slice(Number(offset), Number(offset) + Number(limit)).map(recordOf) } };
  }

  function recordOf({ number, createdAt, values }: Stored) {
    return {
      id: { workspace_id: "w", object_id: "o", record_id: attioId(number) },
      created_at: createdAt,
      web_url: `https://app.attio.example/company/${number}`,
      values: Object.fromEntries(values),
    };
  }

  const now = () => new Date(clock.now()).toISOString();
  function put(number: number, values: Readonly<Record<string, unknown>>): void {
    const record = stored.get(number) ?? { number, createdAt: now(), values: new Map<string, Entry[]>() };
    for (const [slug, value] of Object.entries(values)) {
      const before = record.values.get(slug) ?? [];
      for (const entry of before) entry.active_until ??= now();
      const place = TYPES[slug] ?? ((text: unknown) => ({ attribute_type: "text", value: text }));
      const added = value === null ? [] : [value].flat().map((one) => ({ ...entryOf(now()), ...place(one) }));
      record.values.set(slug, [...added, ...before]);
    }
    stored.set(number, record);
  }

  const api = await startLoopbackApi(answer, clock);
  return {
    ...api,
    put,
    remove: (number) => void stored.delete(number),
    merge(survivor, other, { newNumber, isTold }) {
      const values = stored.get(survivor)?.values ?? new Map<string, Entry[]>();
      const olds = newNumber === null ? [other] : [survivor, other];
      for (const old of olds) {
        stored.delete(old);
        if (isTold) survivors.set(attioId(old), newNumber ?? survivor);
      }
      if (newNumber !== null) stored.set(newNumber, { number: newNumber, createdAt: now(), values });
    },
    live: () => new Map([...stored.values()].map(({ number, values }) => [number, current(values)])),
  };
}

function entryOf(from: string) {
  return {
    active_from: from,
    active_until: null,
    created_by_actor: { type: "system", id: null },
    attribute_type: "text",
  };
}

function current(values: ReadonlyMap<string, readonly Entry[]>): Readonly<Record<string, unknown>> {
  const held = [...values].map(([slug, all]) => [slug, all.find((one) => one.active_until === null)?.value ?? null]);
  return Object.fromEntries(held);
}

function refusal(status: number, code: string, message: string): Refused {
  return new Refused(status, { status_code: status, type: "invalid_request_error", code, message });
}
