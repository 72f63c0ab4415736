/** What goes with every request: a service key, or a token that an OAuth app gets anew before it expires (facts: HubSpot, 2). */

import { z } from "zod";
import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import { createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { PATHS } from "./paths.ts";

export interface Credentials {
  token(signal: AbortSignal): Promise<string>;
  /** The token was not taken: get another. False: there is no other. */
  renew(signal: AbortSignal): Promise<boolean>;
}

export interface OAuthOptions {
  readonly apiHost: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  /** Called when HubSpot gives another refresh token: the one before may be worth nothing from then on. */
  readonly saveRefreshToken: (token: string) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A token is replaced this long before it expires. */
const EARLY_MS = 600_000;
const JUST_NOW_MS = 10_000;
const REFRESHES = { perWindow: 10, windowMs: 60_000 };

const answerSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().positive(),
});
const refusalSchema = z.object({ status: z.string().optional(), message: z.string().optional() });

export function staticCredentials(accessToken: string): Credentials {
  return { token: async () => accessToken, renew: async () => false };
}

/** One refresh at a time, whoever asks. */
export function oauthCredentials(options: OAuthOptions): Credentials {
  const { clock } = options;
  const budget = createBudget(REFRESHES, clock);
  let held: { readonly token: string; readonly gotAt: number; readonly staleAt: number } | null = null;
  let refreshToken = options.refreshToken;
  let underWay: Promise<void> | null = null;

  async function refresh(signal: AbortSignal): Promise<void> {
    const { apiHost, clientId, clientSecret, random } = options;
    const client = createApiClient({
      baseUrl: apiHost,
      peer: "HubSpot",
      headers: async () => ({}),
      judge: (answer) => judgeToken(answer, clock.now()),
      clock,
      random,
    });
    const secrets = { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
    const form = { grant_type: "refresh_token", ...secrets };
    try {
      const answer = await client.ask({ method: "POST", path: PATHS.token, form, budget }, signal);
      const { access_token, refresh_token, expires_in } = answerSchema.parse(JSON.parse(answer.body));
      const livesMs = expires_in * 1000;
      const gotAt = clock.now();
      held = { token: access_token, gotAt, staleAt: gotAt + Math.max(livesMs / 2, livesMs - EARLY_MS) };
      if (refresh_token === undefined || refresh_token === refreshToken) return;
      refreshToken = refresh_token;
      await options.saveRefreshToken(refresh_token);
    } finally {
      await client.close();
    }
  }

  /** Whoever began it may give up: then the next one begins it anew. */
  async function refreshed(signal: AbortSignal): Promise<void> {
    for (;;) {
      underWay ??= refresh(signal).finally(() => {
        underWay = null;
      });
      try {
        return await underWay;
      } catch (thrown) {
        const gaveUp = thrown instanceof PrickleError && thrown.code === "STOPPING";
        if (!gaveUp || signal.aborted) throw thrown;
      }
    }
  }

  return {
    async token(signal) {
      if (!held || clock.now() >= held.staleAt) await refreshed(signal);
      return held?.token ?? "";
    },
    async renew(signal) {
      // Of several requests under way one is enough to renew it.
      const isNew = held && clock.now() - held.gotAt < JUST_NOW_MS;
      if (!isNew) await refreshed(signal);
      return true;
    },
  };
}

function judgeToken({ status, headers, body }: HttpAnswer, now: number): Verdict {
  const said = parse(body);
  if (status === 200) {
    if (answerSchema.safeParse(said).success) return { kind: "ok" };
    return { kind: "again", reason: "HubSpot gave no token", afterMs: null };
  }
  const { status: kind, message } = refusalSchema.catch({}).parse(said);
  const reason = `HubSpot answered ${status} for a new token: ${[kind, message].filter(Boolean).join(": ") || "no reason given"}`;
  const isPassing = kind !== "BAD_HUB" && (status === 429 || status === 408 || status >= 500);
  if (isPassing) return { kind: "again", reason, afterMs: parseRetryAfterMs(headers["retry-after"], now) };
  const hint = kind === "BAD_HUB" ? "The account is gone." : "Install the app again and use the refresh token it gets.";
  return { kind: "fail", error: new PrickleError("SOURCE_REFUSED", reason, { hint }) };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}
