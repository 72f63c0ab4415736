/** Which groups every event of a history must have, by a plain reading of the calls. */

import { messageUuid } from "../../src/core/identity.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { uuidText } from "../../src/core/uuid.ts";

interface Joined {
  readonly at: number;
  readonly id: string;
  readonly groupType: string;
  readonly groupKey: string;
}

interface Claim {
  readonly at: number;
  readonly id: string;
  readonly owner: string;
}

/** By the event's uuid; of tracks, for identifies and aliases gain none, and those of nobody are refused. No two times are alike. */
export function groupsByReading(records: readonly SourceRecord[]): ReadonlyMap<string, unknown> {
  const joined: Joined[] = [];
  const claims: Claim[] = [];
  for (const { occurredAt: at, payload } of records) {
    const ids = idsIn(payload);
    const [id] = ids;
    const group = groupIn(payload);
    if (id !== undefined && group) {
      joined.push({ at, id, ...group });
      for (const other of ids.slice(1)) claims.push({ at, id: other, owner: id });
    }
    for (const [owner, earlier] of joinsIn(payload)) claims.push({ at, id: earlier, owner });
  }
  const events = new Map<string, unknown>();
  for (const record of records) {
    if (record.payload.type !== "track" || idsIn(record.payload).length === 0) continue;
    const groups = groupsOf(record, joined, claims);
    events.set(uuidText(messageUuid(record, 0)), Object.keys(groups).length > 0 ? groups : null);
  }
  return events;
}

function groupsOf({ occurredAt: at, payload }: SourceRecord, joined: readonly Joined[], claims: readonly Claim[]) {
  const groups: JsonObject = { ...explicitIn(payload) };
  const ids = idsIn(payload);
  const [first] = ids;
  if (first === undefined) return groups;
  const known = claims.filter((claim) => claim.at <= at).toSorted((one, other) => one.at - other.at);
  const rootOf = (id: string): string => {
    const passed = [id];
    for (const one of passed) {
      const owner = known.find((claim) => claim.id === one)?.owner;
      if (owner === undefined) return one;
      if (passed.includes(owner)) return passed.slice(passed.indexOf(owner)).toSorted()[0] ?? owner;
      passed.push(owner);
    }
    return id;
  };
  const isTheirs = (id: string) =>
    rootOf(id) === rootOf(first) || (ids.includes(id) && !known.some((claim) => claim.id === id));
  for (const groupType of ["company", "project"]) {
    const last = joined
      .filter((one) => one.at <= at && one.groupType === groupType && isTheirs(one.id))
      .toSorted((one, other) => one.at - other.at)
      .at(-1);
    if (last && groups[groupType] === undefined) groups[groupType] = last.groupKey;
  }
  return groups;
}

function idsIn({ userId, anonymousId }: JsonObject): readonly string[] {
  return [userId, anonymousId].flatMap((id) => (typeof id === "string" && id !== "null" ? [id] : []));
}

function groupIn({ type, groupId, traits }: JsonObject): { groupType: string; groupKey: string } | null {
  if (type === "group")
    return { groupType: String(member(traits, "groupType") ?? "company"), groupKey: String(groupId) };
  const id = type === "identify" ? member(member(traits, "company"), "id") : undefined;
  return typeof id === "string" ? { groupType: "company", groupKey: id } : null;
}

function joinsIn({ type, userId, anonymousId, previousId }: JsonObject): readonly (readonly [string, string])[] {
  const earlier = type === "identify" ? anonymousId : type === "alias" ? previousId : undefined;
  if (typeof userId !== "string" || typeof earlier !== "string") return [];
  return userId === earlier || earlier === "null" ? [] : [[userId, earlier]];
}

function explicitIn({ properties }: JsonObject): JsonObject {
  const groups = member(properties, "$groups");
  return isJsonObject(groups) ? groups : {};
}

function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) ? value[key] : undefined;
}
