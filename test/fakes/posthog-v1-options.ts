/** The options of an event of protocol v1, and what the server writes for them (facts on PostHog, 3.3 and 3.6, 2026-11). */

import type { IncomingHttpHeaders } from "node:http";
import type { Bag } from "./posthog-store.ts";

/** What the server writes into the properties. */
export function appended(raw: Bag, options: Bag, headers: IncomingHttpHeaders): Bag {
  const info = String(headers["posthog-sdk-info"]);
  const cut = info.lastIndexOf("/");
  const isNamed = cut > 0 && info.length <= 200;
  return {
    ...(typeof raw.session_id === "string" ? { $session_id: raw.session_id } : {}),
    ...(typeof raw.window_id === "string" ? { $window_id: raw.window_id } : {}),
    ...(options.cookieless_mode === undefined ? {} : { $cookieless_mode: options.cookieless_mode }),
    ...(options.disable_skew_correction === undefined ? {} : { $ignore_sent_at: options.disable_skew_correction }),
    ...(options.product_tour_id === undefined ? {} : { $product_tour_id: options.product_tour_id }),
    ...(options.process_person_profile === undefined
      ? {}
      : { $process_person_profile: options.process_person_profile }),
    ...(isNamed ? { $lib: info.slice(0, cut).trim(), $lib_version: info.slice(cut + 1).trim() } : {}),
  };
}

/** Null: one of them cannot be read. */
export function readOptions(options: Bag): Bag | null {
  const read: Bag = {};
  for (const name of ["cookieless_mode", "disable_skew_correction", "process_person_profile"]) {
    if (options[name] === undefined || options[name] === null) continue;
    const value = readBoolean(options[name]);
    if (value === null) return null;
    read[name] = value;
  }
  const { product_tour_id: tour } = options;
  if (tour === undefined || tour === null) return read;
  if (typeof tour !== "string" && !Number.isInteger(tour)) return null;
  return { ...read, product_tour_id: String(tour) };
}

function readBoolean(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : null;
}
