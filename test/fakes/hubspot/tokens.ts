/** Who may ask a fake HubSpot: a service key, or tokens of an OAuth app (facts: HubSpot, 2). */

import { type Answer, ok, refusal } from "./answer.ts";

export interface TokenSettings {
  serviceKey: string | null;
  refreshToken: string | null;
  /** Every refresh gives another refresh token, and the one before is worth nothing. */
  rotates: boolean;
  /** Answers of the next refreshes, before any is granted. */
  readonly refusals: Answer[];
}

export interface Tokens {
  readonly settings: TokenSettings;
  /** Access tokens given so far. */
  readonly given: string[];
  isTaken(authorization: string | undefined): "key" | "oauth" | null;
  refresh(form: URLSearchParams): Answer;
  revokeAll(): void;
}

const LIVES_SECONDS = 1800;
export const CLIENT = { id: "client", secret: "client-secret" } as const;

export function createTokens(now: () => number): Tokens {
  const settings: TokenSettings = { serviceKey: "pat-eu1-key", refreshToken: null, rotates: false, refusals: [] };
  const given: string[] = [];
  const expiresAt = new Map<string, number>();
  return {
    settings,
    given,
    isTaken(authorization) {
      const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
      if (token !== "" && token === settings.serviceKey) return "key";
      return (expiresAt.get(token) ?? 0) > now() ? "oauth" : null;
    },
    refresh(form) {
      const refused = settings.refusals.shift();
      if (refused) return refused;
      const isRight =
        form.get("grant_type") === "refresh_token" &&
        form.get("client_id") === CLIENT.id &&
        form.get("client_secret") === CLIENT.secret &&
        form.get("refresh_token") === settings.refreshToken;
      if (!isRight) return refusal(400, "BAD_REFRESH_TOKEN", "missing or invalid refresh token");
      const token = `access-${given.length + 1}`;
      given.push(token);
      expiresAt.set(token, now() + LIVES_SECONDS * 1000);
      if (settings.rotates) settings.refreshToken = `refresh-${given.length + 1}`;
      const { refreshToken } = settings;
      return ok({ access_token: token, refresh_token: refreshToken, expires_in: LIVES_SECONDS, token_type: "bearer" });
    },
    revokeAll: () => expiresAt.clear(),
  };
}
