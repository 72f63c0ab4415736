/** What goes with every request: a service key, or a token that an OAuth app gets anew before it expires (facts: HubSpot, 2). */

import { z } from "zod";
import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { parseRetryAfterMs } from "../../core/retry.ts";
import { type AccessToken, createAccessToken, type GrantedToken } from "../../platform/access-token.ts";
import { createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { PATHS } from "./paths.ts";

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
const REFRESHES = { perWindow: 10, windowMs: 60_000 };

const answerSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().positive(),
});
const refusalSchema = z.object({ status: z.string().optional(), message: z.string().optional() });

export function staticCredentials(accessToken: string): AccessToken {
  return { current: async () => accessToken, renew: async () => false };
}

export function oauthCredentials(options: OAuthOptions): AccessToken {
  const { apiHost, clientId, clientSecret, clock, random } = options;
  const budget = createBudget(REFRESHES, clock);
  let refreshToken = options.refreshToken;

  async function grant(signal: AbortSignal): Promise<GrantedToken> {
    const judge = (answer: HttpAnswer) => judgeToken(answer, clock.now());
    const parts = { baseUrl: apiHost, peer: "HubSpot", headers: async () => ({}), judge, clock, random };
    const client = createApiClient(parts);
    const own = { client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
    const form = { grant_type: "refresh_token", ...own };
    try {
      const answer = await client.ask({ method: "POST", path: PATHS.token, form, budget }, signal);
      const { access_token: token, refresh_token, expires_in } = answerSchema.parse(JSON.parse(answer.body));
      if (refresh_token !== undefined && refresh_token !== refreshToken) {
        refreshToken = refresh_token;
        await options.saveRefreshToken(refresh_token);
      }
      return { token, endsAt: clock.now() + expires_in * 1000 };
    } finally {
      await client.close();
    }
  }

  return createAccessToken(grant, clock, EARLY_MS);
}

function judgeToken({ status, headers, body }: HttpAnswer, now: number): Verdict {
  const said = parse(body);
  if (status === 200) {
    if (answerSchema.safeParse(said).success) return { kind: "ok" };
    return { kind: "again", reason: "HubSpot gave no token.", afterMs: null };
  }
  const { status: kind, message } = refusalSchema.catch({}).parse(said);
  const detail = [kind, message].filter(Boolean).join(": ") || "no reason given";
  const reason = `HubSpot answered ${status} to the request for a token: ${detail}.`;
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
