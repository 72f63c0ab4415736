/** What a PostHog project holds: events folded as ClickHouse does, and groups as ingestion applies them. */

import { randomUUID } from "node:crypto";

export interface StoredEvent {
  readonly uuid: string;
  readonly event: string;
  readonly distinctId: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface PosthogStore {
  /** Uuids in order of arrival, those that came again included. */
  readonly arrivals: readonly string[];
  /** One per (uuid, event, distinct id, UTC date). */
  events(): readonly StoredEvent[];
  /** `type\0key` → properties, later writes over earlier ones. */
  readonly groups: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** By index, null where one was deleted; a new type takes the lowest index that is free, in order of arrival. */
  readonly groupTypes: readonly (string | null)[];
  /** As if an event had named it. */
  takeSlot(groupType: string): void;
  deleteGroupType(groupType: string): void;
  /** False when there is no such group. */
  removeProperty(groupTypeIndex: number, groupKey: string, name: string): boolean;
  /** Somebody changes a group by hand; null: it is gone. */
  changeGroup(groupType: string, groupKey: string, properties: Readonly<Record<string, unknown>> | null): void;
  /** Reads a body and checks it as a whole; `apply` stores it. Throws what `refuse` makes. */
  receive(text: string): { readonly events: readonly StoredEvent[]; apply(): void };
}

type Refuse = (status: number, message: string) => Error;
type Bag = Record<string, unknown>;

const MAX_EVENT_BYTES = 900_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A few of those that get no person, and so no group. */
const PERSONLESS_IDS = new Set(["", "0", "anonymous", "backend", "null", "system", "undefined", "user"]);

export function createPosthogStore(refuse: Refuse): PosthogStore {
  const arrivals: string[] = [];
  const stored = new Map<string, StoredEvent>();
  const groupTypes: (string | null)[] = [];
  const groups = new Map<string, Bag>();

  function receive(text: string) {
    const body = parse(text);
    checkToken(body);
    if (!Array.isArray(body.batch) || body.batch.length === 0) throw refuse(400, "empty batch");
    const sentAt = typeof body.sent_at === "string" ? Date.parse(body.sent_at) : null;
    const events = body.batch.map((raw: unknown) => readEvent(raw, sentAt));
    return { events, apply: () => events.forEach(store) };
  }

  function parse(text: string): Bag {
    try {
      const body: unknown = JSON.parse(text);
      if (isBag(body)) return body;
    } catch {
      // Answered below.
    }
    throw refuse(400, "failed to parse request");
  }

  function checkToken({ api_key: apiKey, token = apiKey }: Bag): void {
    if (typeof token !== "string" || token.trim() === "") throw refuse(401, "no api key");
    const isToken = token.length <= 64 && isAscii(token) && !token.startsWith("phx_");
    if (!isToken) throw refuse(401, "invalid api key");
  }

  function readEvent(raw: unknown, sentAt: number | null): StoredEvent {
    if (!isBag(raw)) throw refuse(400, "an event is not an object");
    const properties = isBag(raw.properties) ? raw.properties : {};
    const id = raw.distinct_id ?? properties.distinct_id;
    if (typeof raw.event !== "string" || raw.event === "") throw refuse(400, "event submitted without an event name");
    if (id === undefined || id === null || id === "") throw refuse(400, "event submitted without a distinct_id");
    if (raw.uuid && !(typeof raw.uuid === "string" && UUID.test(raw.uuid))) throw refuse(400, "invalid uuid");
    if (Buffer.byteLength(JSON.stringify(raw)) > MAX_EVENT_BYTES) throw refuse(413, "event too big");
    const uuid = typeof raw.uuid === "string" && raw.uuid !== "" ? raw.uuid : randomUUID();
    const distinctId = (typeof id === "string" ? id : JSON.stringify(id)).slice(0, 200);
    return { uuid, event: raw.event, distinctId, timestamp: timeOf(raw, properties, sentAt), properties };
  }

  function timeOf({ timestamp }: Bag, { $ignore_sent_at: ignore }: Bag, sentAt: number | null): string {
    const stated = typeof timestamp === "string" ? Date.parse(timestamp) : Date.now();
    if (Number.isNaN(stated)) throw refuse(400, "invalid timestamp");
    const skew = sentAt === null || ignore === true ? 0 : Date.now() - sentAt;
    return new Date(stated + skew).toISOString();
  }

  function store(event: StoredEvent): void {
    arrivals.push(event.uuid);
    stored.set([event.uuid, event.event, event.distinctId, event.timestamp.slice(0, 10)].join("\0"), event);
    const { $group_type: type, $group_key: key, $group_set: set, $groups: named } = event.properties;
    if (PERSONLESS_IDS.has(event.distinctId.trim().toLowerCase())) return;
    if (event.properties.$process_person_profile === false) return;
    if (isBag(named)) for (const type of Object.keys(named)) takeSlot(type);
    if (event.event !== "$groupidentify" || typeof type !== "string" || !takeSlot(type)) return;
    if (String(key).length > 400 || !isBag(set)) return;
    const name = `${type}\0${String(key)}`;
    groups.set(name, { ...groups.get(name), ...set });
  }

  /** Five types a project, first come first served, silently. */
  function takeSlot(type: string): boolean {
    if (groupTypes.includes(type)) return true;
    const free = groupTypes.includes(null) ? groupTypes.indexOf(null) : groupTypes.length;
    if (free >= 5) return false;
    groupTypes[free] = type;
    return true;
  }

  function deleteGroupType(type: string): void {
    const index = groupTypes.indexOf(type);
    if (index >= 0) groupTypes[index] = null;
  }

  function removeProperty(index: number, groupKey: string, name: string): boolean {
    const key = `${groupTypes[index]}\0${groupKey}`;
    const { [name]: _, ...rest } = groups.get(key) ?? {};
    if (!groups.has(key)) return false;
    groups.set(key, rest);
    return true;
  }

  function changeGroup(groupType: string, groupKey: string, properties: Bag | null): void {
    const name = `${groupType}\0${groupKey}`;
    if (properties === null) groups.delete(name);
    else groups.set(name, { ...groups.get(name), ...properties });
  }

  const events = () => [...stored.values()];
  return { arrivals, groups, groupTypes, takeSlot, deleteGroupType, removeProperty, changeGroup, events, receive };
}

function isAscii(text: string): boolean {
  return [...text].every((character) => character > "\0" && character <= "\x7f");
}

function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
