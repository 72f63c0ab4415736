/** Asks HubSpot, within the limits of its account, for answers of a form that is checked. */

import type * as z from "zod";
import type { Clock } from "../../core/clock.ts";
import { PrickleError } from "../../core/errors.ts";
import { answeredAt } from "../../platform/api-answer.ts";
import { type ApiCall, createApiClient } from "../../platform/api-client.ts";
import { type Downloaded, download } from "../../platform/download.ts";
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
  /** Null where there is no such thing. */
  find<Schema extends z.ZodType>(path: string, form: Schema, signal: AbortSignal): Promise<z.output<Schema> | null>;
  /** Searches have limits of their own. */
  post<Schema extends z.ZodType>(
    request: { readonly path: string; readonly body: unknown; readonly isSearch?: boolean },
    form: Schema,
    signal: AbortSignal,
  ): Promise<Answered<z.output<Schema>>>;
  /** What lies at an address that HubSpot gave, into a file. */
  download(file: { readonly url: string; readonly path: string }, signal: AbortSignal): Promise<Downloaded>;
  requests(): number;
  close(): Promise<void>;
}

export function createHubspotClient({ portal, apiHost, ...options }: HubspotClientOptions): HubspotClient {
  const { clock, random } = options;
  const { credentials } = portal;
  const { origin } = new URL(apiHost);
  const { timeoutMs, patienceMs } = options;
  const patience = { ...(timeoutMs ? { timeoutMs } : {}), ...(patienceMs ? { patienceMs } : {}) };
  let downloads = 0;
  const authorization = async (signal: AbortSignal) => ({
    authorization: `Bearer ${await credentials.current(signal)}`,
  });
  const api = createApiClient({
    ...options,
    baseUrl: apiHost,
    peer: "HubSpot",
    headers: authorization,
    judge: (answer, call) => judgeAnswer(answer, call, portal, clock),
    renew: (signal) => credentials.renew(signal),
  });

  async function ask<Schema extends z.ZodType>(call: ApiCall, form: Schema, signal: AbortSignal) {
    portal.requireOpen();
    const { body, headers } = await api.ask(call, signal);
    return { value: readForm(call, body, form), at: answeredAt({ headers }, clock) };
  }

  async function find<Schema extends z.ZodType>(path: string, form: Schema, signal: AbortSignal) {
    portal.requireOpen();
    const call = { method: "GET", path, budget: portal.general, understands: [404] } as const;
    const { status, body } = await api.ask(call, signal);
    return status === 404 ? null : readForm(call, body, form);
  }

  return {
    find,
    get: (path, form, signal) => ask({ method: "GET", path, budget: portal.general }, form, signal),
    post: ({ path, body, isSearch = false }, form, signal) =>
      ask({ method: "POST", path, body, budget: isSearch ? portal.search : portal.general }, form, signal),
    download: (file, signal) =>
      download(
        {
          ...file,
          ...patience,
          peer: "HubSpot",
          clock,
          random,
          async take(stop) {
            portal.requireOpen();
            await portal.general.take(stop);
            downloads += 1;
          },
          // Files lie with others, who get no key of the account.
          headers: async (url, stop) => (url.origin === origin ? authorization(stop) : {}),
        },
        signal,
      ),
    requests: () => api.requests() + downloads,
    close: api.close,
  };
}

/** `body`: seen to be JSON when it was judged. */
function readForm<Schema extends z.ZodType>(call: ApiCall, body: string, form: Schema): z.output<Schema> {
  const read = form.safeParse(JSON.parse(body));
  if (!read.success) throw unexpected(call, read.error);
  return read.data;
}

function unexpected({ path }: ApiCall, { issues: [issue] }: z.ZodError): PrickleError {
  const place = issue?.path.join(".") ?? "";
  return new PrickleError(
    "SOURCE_CHANGED",
    `HubSpot answered ${path.split("?")[0]} in another form than documented: ${place}: ${issue?.message ?? "unreadable"}.`,
    { hint: "A newer prickle may know it." },
  );
}
