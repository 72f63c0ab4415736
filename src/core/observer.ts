/** Port: what the verbs tell whoever watches (metrics, progress). Calls must be cheap and never throw. */

import type { MendReason, RejectionReason } from "./record.ts";

export interface Observer {
  received(source: string, records: number): void;
  rejected(source: string, reason: RejectionReason, records: number): void;
  duplicated(source: string, records: number): void;
  /** Put right when they were made; those of records seen before included. */
  mended(source: string, reason: MendReason, messages: number): void;
  /** Messages put on disk, and how long the caller waited for it, in ms. */
  committed(source: string, messages: number, waitedMs: number): void;
  delivered(destination: string, messages: number, tookMs: number): void;
  retried(destination: string, messages: number, reason: string): void;
  /** `code`: of a small set, such as `message_too_large`. */
  died(destination: string, messages: number, reason: string, code: string): void;
  /** Delivered, though the peer had something to say. */
  noted(destination: string, messages: number, code: string): void;
}

/** Tells nobody. */
export const NOBODY: Observer = {
  received: () => undefined,
  rejected: () => undefined,
  duplicated: () => undefined,
  mended: () => undefined,
  committed: () => undefined,
  delivered: () => undefined,
  retried: () => undefined,
  noted: () => undefined,
  died: () => undefined,
};

/** Structured log lines: `fields` never hold properties or secrets. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
