/** What a PostHog project holds: events folded as ClickHouse does, and groups as ingestion applies them. */

import type { PosthogRules } from "./posthog-rules.ts";

export interface StoredEvent {
  readonly uuid: string;
  readonly event: string;
  readonly distinctId: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** As capture hands it on. */
export interface AcceptedEvent extends StoredEvent {
  /** Person processing was switched off by the sender or at the door. */
  readonly isPersonless?: boolean;
  /** Its batch said that it is a historical migration. */
  readonly isHistory?: boolean;
}

export interface PosthogStore {
  /** Uuids in order of arrival, those that came again included. */
  readonly arrivals: readonly string[];
  /** One per (uuid, event, distinct id, UTC date). */
  events(): readonly StoredEvent[];
  /** `type\0key` → properties, later writes over earlier ones. */
  readonly groups: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Distinct id → properties of its person; later writes over earlier ones, `$set_once` under what is there. */
  readonly persons: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Uuids of what ingestion took as history, and of what it did not, being too young: that is billed as live. */
  readonly history: ReadonlySet<string>;
  readonly refusedAsHistory: ReadonlySet<string>;
  /** By index, null where one was deleted; a new type takes the lowest index that is free, in order of arrival. */
  readonly groupTypes: readonly (string | null)[];
  /** As if an event had named it. */
  takeSlot(groupType: string): void;
  deleteGroupType(groupType: string): void;
  /** False when there is no such group. */
  removeProperty(groupTypeIndex: number, groupKey: string, name: string): boolean;
  /** Somebody changes a group by hand; null: it is gone. */
  changeGroup(groupType: string, groupKey: string, properties: Readonly<Record<string, unknown>> | null): void;
  store(event: AcceptedEvent): void;
}

export type Bag = Record<string, unknown>;

/** All ids that get no person, and so no group. */
const PERSONLESS_IDS = new Set(
  (
    "0|00000000-0000-0000-0000-000000000000|[object object]|anonymous|anonymous-user|backend|distinct_id|distinctid|email|" +
    "false|guest|id|nan|none|not_authenticated|null|system|true|undefined|user"
  ).split("|"),
);
/** Looked up with `in`. */
const UNSAFE_TYPES = new Set(Object.getOwnPropertyNames(Object.prototype));
const MAX_KEY_CHARACTERS = 400;
const MAX_TYPES = 5;
const HISTORICAL_AGE_MS = 48 * 3_600_000;

export function isPersonlessId(distinctId: string): boolean {
  return PERSONLESS_IDS.has(distinctId.trim().toLowerCase());
}

/** `dropAgeMs`: what is older is dropped without a word. */
export function createPosthogStore(rules: PosthogRules, dropAgeMs: () => number): PosthogStore {
  const arrivals: string[] = [];
  const stored = new Map<string, StoredEvent>();
  const groupTypes: (string | null)[] = [];
  const groups = new Map<string, Bag>();
  const persons = new Map<string, Bag>();
  const history = new Set<string>();
  const refusedAsHistory = new Set<string>();

  function store({ isPersonless = false, isHistory = false, ...event }: AcceptedEvent): void {
    arrivals.push(event.uuid);
    const ageMs = rules.now() - Date.parse(event.timestamp);
    if (ageMs > dropAgeMs()) return;
    if (isHistory) (ageMs >= HISTORICAL_AGE_MS ? history : refusedAsHistory).add(event.uuid);
    const isIdentify = event.event === "$groupidentify";
    if (isIdentify && String(event.properties.$group_key).length > MAX_KEY_CHARACTERS) return;
    stored.set([event.uuid, event.event, event.distinctId, event.timestamp.slice(0, 10)].join("\0"), event);
    const isGated = isPersonless || isPersonlessId(event.distinctId);
    if (isIdentify) identify(event.properties, isGated);
    else if (!isGated) changePerson(event);
    const { $groups: named } = event.properties;
    if (!isGated && isBag(named)) for (const type of Object.keys(named)) takeSlot(type);
  }

  /** The type is taken before it is looked whether there is a person. */
  function identify({ $group_type: type, $group_key: key, $group_set: set }: Bag, isGated: boolean): void {
    if (!type || !key || typeof type !== "string") return;
    if (isGated && (set === undefined || set === null)) return;
    if (!takeSlot(type) || isGated) return;
    if (set !== undefined && set !== null && !isBag(set)) return;
    const name = `${type}\0${String(key)}`;
    groups.set(name, { ...groups.get(name), ...(isBag(set) ? set : {}) });
  }

  function changePerson({ distinctId, properties: { $set, $set_once: once } }: StoredEvent): void {
    if (!isBag($set) && !isBag(once)) return;
    const set = isBag($set) ? $set : {};
    persons.set(distinctId, { ...(isBag(once) ? once : {}), ...persons.get(distinctId), ...set });
  }

  /** Five types a project, first come first served, silently. */
  function takeSlot(type: string): boolean {
    if (UNSAFE_TYPES.has(type)) return false;
    if (groupTypes.includes(type)) return true;
    const free = groupTypes.includes(null) ? groupTypes.indexOf(null) : groupTypes.length;
    if (free >= MAX_TYPES) return false;
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
  const held = { arrivals, groups, persons, history, refusedAsHistory, groupTypes };
  return { ...held, takeSlot, deleteGroupType, removeProperty, changeGroup, events, store };
}

export function isBag(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
