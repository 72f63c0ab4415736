/** Access tokens of Salesforce: by client credentials, or by a signed assertion (JWT bearer, RFC 7523). */

import { sign } from "node:crypto";
import { createBudget } from "../../core/budget.ts";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { parseSafely } from "../../core/safe-parsing.ts";
import { type AccessToken, createAccessToken } from "../../platform/access-token.ts";
import { judgeStatus, readAnswer } from "../../platform/api-answer.ts";
import { createApiClient, type Verdict } from "../../platform/api-client.ts";
import type { HttpAnswer } from "../../platform/http-client.ts";
import { tokenRefusalShape, tokenShape } from "./shapes.ts";

export type SalesforceCredentials =
  | { readonly kind: "client_credentials"; readonly clientId: string; readonly clientSecret: string }
  | {
      readonly kind: "jwt";
      readonly clientId: string;
      readonly username: string;
      /** PEM; in place of line ends it may have `\n`, as environments carry it. */
      readonly privateKey: string;
      /** `https://login.salesforce.com`, or `https://test.salesforce.com` for a sandbox. */
      readonly audience: string;
    };

export interface SalesforceLogin {
  /** The host that gives tokens. */
  readonly loginUrl: string;
  readonly credentials: SalesforceCredentials;
  readonly clock: Clock;
  readonly random: () => number;
}

const PATH = "/services/oauth2/token";
const PEER = "Salesforce";
/** Salesforce takes assertions that end within 5 minutes. */
const ASSERTION_SECONDS = 180;

/** Salesforce does not say when a token ends: it is used until it is refused. */
export function createSalesforceToken(login: SalesforceLogin): AccessToken & {
  requests(): number;
  close(): Promise<void>;
} {
  const { loginUrl, credentials, clock, random } = login;
  const budget = createBudget({ perWindow: 2, windowMs: 1000 }, clock);
  const api = createApiClient({
    baseUrl: loginUrl,
    peer: PEER,
    headers: async () => ({}),
    judge: (answer) => judgeToken(answer, clock.now()),
    clock,
    random,
  });
  const grant = async (signal: AbortSignal) => {
    const form = formOf(credentials, clock.now());
    const answer = await api.ask({ method: "POST", path: PATH, form, budget }, signal);
    const { access_token: token } = readAnswer(answer, tokenShape, `${PEER}, POST ${PATH}`);
    return { token, endsAt: null };
  };
  return { ...createAccessToken(grant, clock), requests: api.requests, close: api.close };
}

function formOf(credentials: SalesforceCredentials, now: number): Record<string, string> {
  if (credentials.kind === "jwt") {
    return {
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: assertionOf(credentials, now),
    };
  }
  const { clientId, clientSecret } = credentials;
  return { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret };
}

function assertionOf(
  { clientId, username, audience, privateKey }: Extract<SalesforceCredentials, { readonly kind: "jwt" }>,
  now: number,
): string {
  const exp = Math.floor(now / 1000) + ASSERTION_SECONDS;
  const claims = { iss: clientId, sub: username, aud: audience, exp };
  const signed = [{ alg: "RS256" }, claims].map((part) => base64url(JSON.stringify(part))).join(".");
  try {
    return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey.replaceAll("\\n", "\n")).toString("base64url")}`;
  } catch {
    throw new PrickleError("SOURCE_REFUSED", "The private key for Salesforce is none that can sign.", {
      hint: "It must be an RSA key in PEM, line ends included.",
    });
  }
}

function judgeToken(answer: HttpAnswer, now: number): Verdict {
  const verdict = judgeStatus(answer, { method: "POST", path: PATH }, { peer: PEER, now });
  if (verdict.kind === "ok" || verdict.kind === "again") return verdict;
  const said = parseSafely(tokenRefusalShape, parsed(answer.body));
  const why = said.success ? `: ${said.data.error}, ${said.data.error_description}` : "";
  const message = `${PEER} gave no access token (${answer.status}${why}).`;
  const hint = "Are client id, secret or key, user and login host those of the External Client App?";
  return { kind: "fail", error: new PrickleError("SOURCE_REFUSED", message, { hint }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
