/** Dead letters as they are printed. */

import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { count } from "../show-table.ts";

export function lettersText(number: number): string {
  return `${count(number)} dead letter${number === 1 ? "" : "s"}`;
}

/** Name of the event; empty for what is no message. */
export function eventOf(body: string): string {
  const message = messageOf(body);
  return isJsonObject(message) && typeof message.event === "string" ? message.event : "";
}

/** The text itself when it is no JSON. */
export function messageOf(body: string): JsonValue {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
