/** The subscriptions of a Segment destination, as its Public API, its export or Terraform writes them. */

import { PrickleError } from "../../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";

export interface Subscription {
  readonly name: string;
  /** What it does, such as `trackEvent`; empty where it is not said. */
  readonly action: string;
  readonly isEnabled: boolean;
  /** FQL. */
  readonly trigger: string;
  /** Fields of the action to values of mapping-kit; null where they cannot be read. */
  readonly settings: JsonObject | null;
}

/** @throws INPUT_INVALID if there is no list of objects in it. */
export function readSubscriptions(json: unknown): readonly Subscription[] {
  const list = listIn(json);
  if (list) return list.map(readSubscription);
  throw new PrickleError("INPUT_INVALID", "Found no subscriptions of a Segment destination.", {
    hint: 'Give what the Public API answers, {"data": {"subscriptions": […]}}, or the list alone.',
  });
}

function listIn(json: unknown): readonly JsonObject[] | null {
  if (Array.isArray(json)) return json.length > 0 && json.every(isJsonObject) ? json : null;
  if (!isJsonObject(json)) return null;
  return listIn(json.subscriptions) ?? listIn(json.data);
}

function readSubscription(subscription: JsonObject, index: number): Subscription {
  const text = (...keys: readonly string[]) => {
    const found = keys.map((key) => subscription[key]).find((value) => typeof value === "string" && value !== "");
    return typeof found === "string" ? found : "";
  };
  return {
    name: text("name", "id") || `subscription ${index + 1}`,
    action: text("actionSlug", "action_slug", "partnerAction", "partner_action", "actionId", "action_id"),
    isEnabled: subscription.enabled !== false,
    trigger: text("trigger", "subscribe"),
    settings: settingsOf(subscription.settings ?? subscription.mapping ?? subscription.mappings),
  };
}

/** Terraform keeps them as JSON text. */
function settingsOf(settings: JsonValue | undefined): JsonObject | null {
  if (isJsonObject(settings)) return settings;
  if (settings === undefined || settings === null) return {};
  try {
    const parsed: unknown = typeof settings === "string" ? JSON.parse(settings) : null;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
