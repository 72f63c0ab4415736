/** The limits of a fake HubSpot account, with the headers and the bodies of the real one (facts: HubSpot, 9). */

import type { Answer } from "./answer.ts";

export interface LimitSettings {
  perTenSeconds: number;
  searchesPerSecond: number;
  daily: number;
  /** Whether a refusal says when to come again. */
  saysRetryAfter: boolean;
}

export interface Limits {
  /** Null: it may pass. */
  check(isSearch: boolean): Answer | null;
  /** Searches have none. */
  headers(isSearch: boolean, isOAuth: boolean): Readonly<Record<string, string>>;
  readonly refused: { general: number; search: number; daily: number };
}

const TEN_SECONDS_MS = 10_000;

export function createLimits(settings: LimitSettings, now: () => number): Limits {
  const refused = { general: 0, search: 0, daily: 0 };
  let general: number[] = [];
  let searches: number[] = [];
  let today = 0;

  function refusal(policyName: string, message: string, seconds: number): Answer {
    const body = {
      status: "error",
      message,
      errorType: "RATE_LIMIT",
      correlationId: "c0ffee00-0000-4000-8000-000000000429",
      policyName,
      groupName: "publicapi:private-apps:1",
    };
    return { status: 429, headers: settings.saysRetryAfter ? { "retry-after": String(seconds) } : {}, body };
  }

  return {
    refused,
    check(isSearch) {
      if (today >= settings.daily) {
        refused.daily += 1;
        return refusal("DAILY", "You have reached your daily limit.", 3600);
      }
      general = general.filter((at) => at > now() - TEN_SECONDS_MS);
      searches = searches.filter((at) => at > now() - 1000);
      if (isSearch && searches.length >= settings.searchesPerSecond) {
        refused.search += 1;
        return refusal("SECONDLY", "You have reached your secondly limit.", 1);
      }
      if (!isSearch && general.length >= settings.perTenSeconds) {
        refused.general += 1;
        return refusal("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", 10);
      }
      today += 1;
      (isSearch ? searches : general).push(now());
      return null;
    },
    headers(isSearch, isOAuth) {
      if (isSearch) return {};
      const { perTenSeconds, daily } = settings;
      return {
        "x-hubspot-ratelimit-max": String(perTenSeconds),
        "x-hubspot-ratelimit-remaining": String(perTenSeconds - general.length),
        "x-hubspot-ratelimit-interval-milliseconds": String(TEN_SECONDS_MS),
        ...(isOAuth
          ? {}
          : {
              "x-hubspot-ratelimit-daily": String(daily),
              "x-hubspot-ratelimit-daily-remaining": String(daily - today),
            }),
      };
    },
  };
}
