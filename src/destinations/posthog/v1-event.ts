/** From the text of a message, which has v0's shape, to an event of protocol v1 (facts on PostHog, 3.3, seen 2026-11). */

import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { readSwitch } from "../../core/personless.ts";

type Read = (value: JsonValue) => JsonValue | undefined;

/** Property of v0 → option of v1, where the value is one. */
const OPTIONS: readonly (readonly [sentinel: string, option: string, read: Read])[] = [
  ["$cookieless_mode", "cookieless_mode", readSwitch],
  ["$process_person_profile", "process_person_profile", readSwitch],
  ["$product_tour_id", "product_tour_id", (value) => (typeof value === "string" ? value : undefined)],
];
const AT_ROOT = [
  ["$session_id", "session_id"],
  ["$window_id", "window_id"],
] as const;
/** Of prickle's own saying: what a message says of them does not count. */
const OWN = ["$ignore_sent_at", "$lib", "$lib_version"];
const PERSON_PROPERTIES = ["$set", "$set_once"];

/** Gives a text of its own; `body` stays as it is. */
export function v1Event(body: Buffer): Buffer {
  const { properties: stated, ...event }: JsonObject = JSON.parse(body.toString());
  const properties = isJsonObject(stated) ? stated : {};
  const options: JsonObject = {};
  for (const [sentinel, option, read] of OPTIONS) {
    const value = properties[sentinel] === undefined ? undefined : read(properties[sentinel]);
    if (value !== undefined) options[option] = value;
    delete properties[sentinel];
  }
  for (const [property, root] of AT_ROOT) {
    const value = properties[property];
    if (typeof value !== "string") continue;
    event[root] = value;
    delete properties[property];
  }
  for (const name of OWN) delete properties[name];
  movePersonProperties(event, properties);
  properties.$geoip_disable = true;
  return Buffer.from(JSON.stringify({ ...event, properties, options: { ...options, disable_skew_correction: true } }));
}

function movePersonProperties(event: JsonObject, properties: JsonObject): void {
  for (const name of PERSON_PROPERTIES) {
    const value = event[name];
    if (value !== undefined && properties[name] === undefined) properties[name] = value;
    delete event[name];
  }
}
