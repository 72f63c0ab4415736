/** What is wrong where a project's private API does not give what it was asked for, and what to do about it. */

import * as z from "zod";
import { quote } from "../answer.ts";
import type { ApiAnswer, ProjectApi } from "./client.ts";

/** Without secrets. */
export interface ApiFailure {
  /** Why, and what to do, each in one sentence. */
  readonly reason: string;
  readonly hint: string;
  /** `refused`: the key may not do it. `missing`: there is no such thing. `later`: it may pass. */
  readonly kind: "refused" | "missing" | "later" | "wrong";
  /** Only of `later`: PostHog asked for it, or the budget does. */
  readonly afterMs?: number;
}

/** Of an answer that is not a 2xx with the expected content. */
export function failureOf(answer: ApiAnswer, api: ProjectApi, scope: string): ApiFailure {
  if (answer.kind === "later") return { ...answer, hint: "Try again later." };
  if (answer.kind === "unreached") {
    return { kind: "later", reason: answer.reason, hint: "apiHost names another address of the private API." };
  }
  const { status, body } = answer;
  const answered = `${api.origin} answered ${status}: ${detailOf(body).replaceAll(api.personalApiKey, "…")}`;
  if (status === 401 || status === 403) {
    return { kind: "refused", reason: whyRefused(answer, api, answered), hint: makeKey(scope) };
  }
  if (status === 404) {
    const hint = "Are projectId and apiHost right?";
    return { kind: "missing", reason: `there is no project ${api.projectId} (${answered})`, hint };
  }
  const mayPass = status >= 500 || status === 408;
  return {
    kind: mayPass ? "later" : "wrong",
    reason: answered,
    hint: mayPass ? "Try again later." : "Is apiHost right?",
  };
}

/** A 2xx with something else, such as the page of a proxy. */
export function unexpected({ origin }: ProjectApi, what: string): ApiFailure {
  return { kind: "wrong", reason: `${origin} answered with no ${what}`, hint: "Is apiHost right?" };
}

/** PostHog says what is missing in `detail`, as in "API key missing required scope 'group:read'". */
function whyRefused(
  { status, body }: { readonly status: number; readonly body: string },
  { personalApiKey, projectId }: ProjectApi,
  answered: string,
): string {
  if (!personalApiKey.startsWith("phx_")) return `${wrongKey(personalApiKey)} (${answered})`;
  if (/\bscope\b/.test(body)) return `the key lacks a scope (${answered})`;
  const what = status === 401 ? "PostHog does not know the key" : `the key may not read project ${projectId}`;
  return `${what} (${answered})`;
}

function makeKey(scope: string): string {
  return `Make a personal API key (phx_…) with the scope ${scope} for this project, in PostHog's user settings.`;
}

function wrongKey(key: string): string {
  const what = key.startsWith("phc_") ? "a project token (phc_…) stands" : "something else stands";
  return `${what} where a personal API key (phx_…) belongs`;
}

function detailOf(body: string): string {
  const parsed = z.object({ detail: z.string() }).safeParse(jsonIn(body));
  return quote(parsed.success ? parsed.data.detail : body);
}

/** Undefined: it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
