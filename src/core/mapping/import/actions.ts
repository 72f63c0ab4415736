/** What the fields of a Segment action become: a group identify, or an event. Source: Segment's PostHog destination (Actions), 2026-08. */

import type { JsonObject, JsonValue } from "../../json.ts";
import { ROOT_DIRECTIVE } from "../root-directive.ts";
import type { Subscription } from "./reading.ts";

/** prickle's part to the fields that hold it, in PostHog's and other destinations; the first there counts. */
const FIELDS = {
  groupType: ["group_type", "groupType", "group_name"],
  groupKey: ["group_id", "groupId", "group_key", "groupKey", "group_value", "company_id"],
  groupProperties: ["traits", "group_properties", "groupProperties", "group_traits", "properties"],
  name: ["event_name", "eventName", "event", "name"],
  distinctId: ["distinct_id", "distinctId", "user_id", "userId", "external_id", "externalId"],
  properties: ["properties", "event_properties", "eventProperties"],
  personProperties: ["properties", "traits", "user_properties", "userProperties"],
  groups: ["groups", "$groups"],
} as const satisfies Record<string, readonly string[]>;

/** Fields without an equivalent, and why none is needed. */
const NEEDLESS: readonly (readonly [fields: readonly string[], why: string])[] = [
  [["enable_batching", "batch_size", "batch_keys", "batch_bytes"], "prickle makes its own batches"],
  [["timestamp", "time"], "a message has the time of its call"],
  [["anonymous_event_capture"], "PostHog does nothing to the groups of events without a person"],
];

type Note = (message: string) => void;
type Kind = "group" | "identify" | "event";

/** Null, with a note, where the action is none that a mapping can do. Fields that are not carried over are noted. */
export function outputsOf({ action }: Subscription, settings: JsonObject, note: Note): JsonObject | null {
  const kind = kindOf(action, settings);
  if (kind === null) {
    note(`Its action ${JSON.stringify(action)} makes neither an event nor a group: it is left out.`);
    return null;
  }
  const fields = fieldsOf(settings);
  const output =
    kind === "group" ? { groupIdentify: groupIdentifyOf(fields, note) } : { event: eventOf(kind, fields, note) };
  noteUnused(fields.unused(), note);
  return output;
}

/** Actions are named freely: what is not told by the name is told by the fields. */
function kindOf(action: string, settings: JsonObject): Kind | null {
  if (/group/i.test(action)) return "group";
  if (/identify/i.test(action)) return "identify";
  if (/event|track|page|screen/i.test(action)) return "event";
  const has = (names: readonly string[]) => names.some((name) => Object.hasOwn(settings, name));
  if (has(FIELDS.name)) return "event";
  return has(FIELDS.groupKey) ? "group" : null;
}

function groupIdentifyOf(fields: Fields, note: Note): JsonObject {
  const groupType = fields.take("groupType");
  const groupKey = fields.take("groupKey");
  if (groupType === undefined) note('It names no group type: its groups are of type "company".');
  if (groupKey === undefined) note("It names no group id: $.groupId is taken.");
  return {
    ...fields.root(),
    groupType: groupType ?? "company",
    groupKey: groupKey ?? { "@path": "$.groupId" },
    ...present("properties", fields.take("groupProperties")),
  };
}

function eventOf(kind: "identify" | "event", fields: Fields, note: Note): JsonObject {
  const root = fields.root();
  const distinctId = fields.take("distinctId");
  if (distinctId === undefined) note("It names no distinct id: $.userId is taken, or else $.anonymousId.");
  const id = distinctId ?? PERSON;
  if (kind === "identify") {
    return { ...root, name: "$identify", distinctId: id, properties: { $set: fields.take("personProperties") ?? {} } };
  }
  const { name, properties } = namedBy(fields, note);
  return {
    ...root,
    name,
    distinctId: id,
    ...present("properties", properties),
    ...present("groups", fields.take("groups")),
  };
}

const PERSON = { "@coalesce": [{ "@path": "$.userId" }, { "@path": "$.anonymousId" }] };

/** PostHog's destination has a field that makes page and screen views of events. */
function namedBy(fields: Fields, note: Note): { readonly name: JsonValue; readonly properties: JsonValue | undefined } {
  const type = fields.takeField("event_type");
  const name = fields.take("name");
  const own = fields.take("properties");
  const [url, screen] = [fields.takeField("current_url"), fields.takeField("screen_name")];
  if (type === "page") return { name: "$pageview", properties: withProperty(own, "$current_url", url) };
  if (type === "screen") return { name: "$screen", properties: withProperty(own, "$screen_name", screen) };
  if (name === undefined) note("It names no event: $.event is taken.");
  return { name: name ?? { "@path": "$.event" }, properties: own };
}

function withProperty(
  properties: JsonValue | undefined,
  key: string,
  value: JsonValue | undefined,
): JsonValue | undefined {
  if (value === undefined) return properties;
  return {
    "@merge": { direction: "right", objects: [...(properties === undefined ? [] : [properties]), { [key]: value }] },
  };
}

function noteUnused(unused: readonly string[], note: Note): void {
  for (const field of unused) {
    const why = NEEDLESS.find(([fields]) => fields.includes(field))?.[1];
    note(`The field ${JSON.stringify(field)} is not carried over: ${why ?? "prickle has nothing like it"}.`);
  }
}

function present(key: string, value: JsonValue | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

/** The fields of an action, and which of them were taken. */
interface Fields {
  /** The first that is there of those that hold this part. */
  take(part: keyof typeof FIELDS): JsonValue | undefined;
  takeField(field: string): JsonValue | undefined;
  /** Segment's root directive, in the place it has in an output. */
  root(): JsonObject;
  unused(): readonly string[];
}

function fieldsOf(settings: JsonObject): Fields {
  const taken = new Set<string>();
  const takeField = (field: string) => {
    if (!Object.hasOwn(settings, field)) return undefined;
    taken.add(field);
    return settings[field];
  };
  return {
    takeField,
    take: (part) => takeField(FIELDS[part].find((field) => Object.hasOwn(settings, field)) ?? ""),
    root: () => present(ROOT_DIRECTIVE, takeField(ROOT_DIRECTIVE)),
    unused: () => Object.keys(settings).filter((field) => !taken.has(field)),
  };
}
