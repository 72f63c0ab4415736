/** What all jobs of one HubSpot account share: its limits (facts: HubSpot, 9) and the credentials. */

import { DateTime } from "luxon";
import { type Budget, createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import type { AccessToken } from "../../platform/access-token.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";

export interface Portal {
  /** All requests but searches. */
  readonly general: Budget;
  readonly search: Budget;
  readonly credentials: AccessToken;
  /** Takes what an answer says of limits. */
  note(answer: HttpAnswer): void;
  /** In whose time zone the day of the daily limit ends. */
  useTimeZone(zone: string): void;
  /** The requests of the day are used up: nobody asks before it is over. */
  endDay(): void;
  /** @throws SOURCE_LIMITED while nothing may be asked */
  requireOpen(): void;
  /** Milliseconds until the requests of the day are counted anew; null: nobody knows. */
  msToReset(): number | null;
}

export interface PortalOptions {
  readonly credentials: AccessToken;
  readonly clock: Clock;
  /** Searches a second: HubSpot allows 5. */
  readonly searchesPerSecond?: number;
}

/** Of what HubSpot allows: others use the account too. */
const SHARE = 0.8;
const DAILY_RESERVE = 0.1;
/** The least that any account has, until an answer says more. */
const START = { perWindow: 100 * SHARE, windowMs: 10_000 };
const SEARCHES_PER_SECOND = 4;
/** Where nobody knows when the day ends, one looks again after that. */
const LOOK_AGAIN_MS = 3_600_000;

export function createPortal(options: PortalOptions): Portal {
  const { credentials, clock, searchesPerSecond = SEARCHES_PER_SECOND } = options;
  const general = createBudget(START, clock);
  const search = createBudget({ perWindow: searchesPerSecond, windowMs: 1000 }, clock);
  let zone: string | null = null;
  let closedUntil = 0;

  function msToReset(): number | null {
    if (zone === null) return null;
    const now = DateTime.fromMillis(clock.now(), { zone });
    return now.isValid ? now.plus({ days: 1 }).startOf("day").toMillis() - clock.now() : null;
  }

  const endDay = () => {
    closedUntil = clock.now() + (msToReset() ?? LOOK_AGAIN_MS);
  };

  return {
    general,
    search,
    credentials,
    msToReset,
    endDay,
    useTimeZone(given) {
      zone = given;
    },
    note({ headers }) {
      const of = (name: string) => numberIn(headers[`x-hubspot-ratelimit-${name}`]);
      const [most, windowMs] = [of("max"), of("interval-milliseconds")];
      if (most && windowMs) general.adopt({ perWindow: Math.max(1, Math.floor(most * SHARE)), windowMs });
      const [daily, left] = [of("daily"), of("daily-remaining")];
      if (daily && left !== null && left < daily * DAILY_RESERVE) endDay();
    },
    requireOpen() {
      if (clock.now() < closedUntil) throw dayIsOver(closedUntil, clock.now());
    },
  };
}

function dayIsOver(until: number, now: number): PrickleError {
  const at = new Date(until).toISOString();
  return new PrickleError(
    "SOURCE_LIMITED",
    `HubSpot's requests of the day are used up, but for a reserve, until ${at}.`,
    {
      hint: "Nothing is lost: the next sync goes on from here.",
      retryAfterMs: Math.max(0, until - now),
    },
  );
}

function numberIn(header: string | undefined): number | null {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) : null;
}
