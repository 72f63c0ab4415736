/**
 * Asks a host for both of PostHog's capture protocols with a batch without events: it is refused, and how says which server
 * it is; nothing appears in the project (facts on PostHog, 2.2 and 3.5, 2026-11).
 */

import { isoTime } from "../../../core/iso-time.ts";
import { isJsonObject } from "../../../core/json.ts";
import { createHttpClient, type HttpAnswer, HttpFailure } from "../../../platform/http-client.ts";
import { quote } from "../answer.ts";
import { jsonIn } from "../private-api/failure.ts";

export interface ProbeOptions {
  readonly host: string;
  readonly token: string;
  /** Goes into the user agent. */
  readonly version: string;
  readonly now: () => number;
  /** A new UUID each time. */
  readonly newRequestId: () => string;
  /** For connecting, and for the answer. */
  readonly timeoutMs?: number;
}

export interface Probe {
  readonly v0: ProbeAnswer;
  readonly v1: ProbeAnswer;
}

export type ProbeAnswer =
  | { readonly kind: "unreached"; readonly reason: string }
  | (Timed & {
      /**
       * `there`: the protocol is spoken. `refused`: it is, but the token is not taken. `busy`: it is, but not now.
       * `absent`: 404 and the like. `foreign`: somebody else's answer.
       */
      readonly kind: "there" | "refused" | "busy" | "absent" | "foreign";
      readonly status: number;
      /** One line. */
      readonly text: string;
      /** Where a redirect leads. */
      readonly location: string | null;
    });

export interface Timed {
  readonly sentAt: number;
  readonly receivedAt: number;
  /** Of the Date header, ms UTC; null: there is none. */
  readonly serverAt: number | null;
}

type Reached = Exclude<ProbeAnswer, { kind: "unreached" }>;

const DEFAULT_TIMEOUT_MS = 10_000;

export async function probeCapture(options: ProbeOptions): Promise<Probe> {
  const { host, token, version, now, newRequestId, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const url = new URL(host);
  const base = url.pathname.replace(/\/+$/, "");
  const client = createHttpClient({ origin: url.origin, connections: 2, timeoutMs });
  const common = { "content-type": "application/json", "user-agent": `prickle/${version}` };

  async function ask(path: string, body: object, headers: Readonly<Record<string, string>>) {
    const sentAt = now();
    const request = { path: base + path, headers: { ...common, ...headers }, body: Buffer.from(JSON.stringify(body)) };
    try {
      const answer = await client.post({ ...request, signal: AbortSignal.timeout(timeoutMs) });
      return { answer, timed: { sentAt, receivedAt: now(), serverAt: dateOf(answer) } };
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure)) throw thrown;
      return { kind: "unreached" as const, reason: thrown.message };
    }
  }

  const at = isoTime(now());
  const asV1 = {
    authorization: `Bearer ${token}`,
    "posthog-sdk-info": `prickle/${version}`,
    "posthog-attempt": "1",
    "posthog-request-id": newRequestId(),
    "posthog-request-timestamp": at,
  };
  try {
    const v0 = await ask("/batch/", { api_key: token, batch: [] }, {});
    const v1 = await ask("/i/v1/analytics/events", { created_at: at, batch: [] }, asV1);
    return { v0: readAnswer(v0, kindOfV0, token), v1: readAnswer(v1, kindOfV1, token) };
  } finally {
    await client.close();
  }
}

type Asked =
  | { readonly answer: HttpAnswer; readonly timed: Timed }
  | Extract<ProbeAnswer, { readonly kind: "unreached" }>;

function readAnswer(asked: Asked, kindOf: (answer: HttpAnswer) => Reached["kind"], token: string): ProbeAnswer {
  if ("kind" in asked) return asked;
  const { status, headers, body } = asked.answer;
  const text = quote(body).replaceAll(token, "…");
  return { ...asked.timed, kind: kindOf(asked.answer), status, text, location: headers.location ?? null };
}

/** v0 answers in a line of text. */
function kindOfV0({ status, body }: HttpAnswer): Reached["kind"] {
  if (isPage(body)) return "foreign";
  if (status === 400 || (status === 200 && isJsonObject(jsonIn(body)))) return "there";
  if (status === 401) return "refused";
  return rest(status);
}

/** v1 answers with a tag. */
function kindOfV1({ status, body }: HttpAnswer): Reached["kind"] {
  const parsed = jsonIn(body);
  const tag = isJsonObject(parsed) && typeof parsed.error === "string" ? parsed.error : null;
  if (status === 404 || status === 405) return "absent";
  if (tag === null) return isPage(body) ? "foreign" : rest(status);
  return status === 401 ? "refused" : status >= 500 || status === 429 ? "busy" : "there";
}

function rest(status: number): Reached["kind"] {
  if (status === 404 || status === 405) return "absent";
  return status === 408 || status === 429 || status === 503 ? "busy" : "foreign";
}

function isPage(body: string): boolean {
  return /^\s*</.test(body);
}

function dateOf({ headers }: HttpAnswer): number | null {
  const at = Date.parse(headers.date ?? "");
  return Number.isNaN(at) ? null : at;
}
