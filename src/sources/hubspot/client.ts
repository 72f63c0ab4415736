/** Asks HubSpot, within the limits of its account, for answers of a form that is checked. */

import type * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { answeredAt } from "../../platform/api-answer.ts";
import { type ApiCall, createApiClient } from "../../platform/api-client.ts";
import { judgeAnswer } from "./judge.ts";
import type { Portal } from "./portal.ts";

export interface HubspotClientOptions {
  readonly apiHost: string;
  readonly portal: Portal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timeoutMs?: number;
  readonly patienceMs?: number;
}

export interface Answered<Form> {
  readonly value: Form;
  /** By HubSpot's clock, ms UTC; whole seconds. */
  readonly at: number;
}

export interface HubspotClient {
  get<Schema extends z.ZodType>(path: string, form: Schema, signal: AbortSignal): Promise<Answered<z.output<Schema>>>;
  /** Searches have limits of their own. */
  post<Schema extends z.ZodType>(
    request: { readonly path: string; readonly body: unknown; readonly isSearch?: boolean },
    form: Schema,
    signal: AbortSignal,
  ): Promise<Answered<z.output<Schema>>>;
  requests(): number;
  close(): Promise<void>;
}

export function createHubspotClient({ portal, apiHost, ...options }: HubspotClientOptions): HubspotClient {
  const { clock } = options;
  const { credentials } = portal;
  const api = createApiClient({
    ...options,
    baseUrl: apiHost,
    peer: "HubSpot",
    headers: async (signal) => ({ authorization: `Bearer ${await credentials.current(signal)}` }),
    judge: (answer, call) => judgeAnswer(answer, call, portal, clock),
    renew: (signal) => credentials.renew(signal),
  });

  async function ask<Schema extends z.ZodType>(call: ApiCall, form: Schema, signal: AbortSignal) {
    portal.requireOpen();
    const { body, headers } = await api.ask(call, signal);
    const read = form.safeParse(JSON.parse(body)); // Seen to be JSON when it was judged.
    if (!read.success) throw unexpected(call, read.error);
    return { value: read.data, at: answeredAt({ headers }, clock) };
  }

  return {
    get: (path, form, signal) => ask({ method: "GET", path, budget: portal.general }, form, signal),
    post: ({ path, body, isSearch = false }, form, signal) =>
      ask({ method: "POST", path, body, budget: isSearch ? portal.search : portal.general }, form, signal),
    requests: api.requests,
    close: api.close,
  };
}

function unexpected({ path }: ApiCall, { issues: [issue] }: z.ZodError): PrickleError {
  const place = issue?.path.join(".") ?? "";
  return new PrickleError(
    "SOURCE_CHANGED",
    `HubSpot answered ${path.split("?")[0]} in another form than documented: ${place}: ${issue?.message ?? "unreadable"}.`,
    { hint: "A newer prickle may know it." },
  );
}
