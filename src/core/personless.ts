/** Whether an event asks for no person, and with that for no group. Source: facts on PostHog, 3.3 and 6.3 (2026-11). */

import type { JsonObject, JsonValue } from "./json.ts";

const SWITCHES = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** What PostHog's protocol v1 takes a switch for; undefined: it is none, and one would cost the event. */
export function readSwitch(value: JsonValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  return typeof value === "string" ? SWITCHES.get(value.trim().toLowerCase()) : undefined;
}

/** As v1 judges it; v0 knows only `false` itself, but a message may go by either. */
export function isPersonless({ $process_person_profile: asked }: Readonly<JsonObject>): boolean {
  return asked !== undefined && readSwitch(asked) === false;
}
