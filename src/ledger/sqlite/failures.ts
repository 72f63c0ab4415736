/** What SQLite and the file system throw, in prickle's terms. Result codes: sqlite.org/rescode.html. */

import { type ErrorCode, PrickleError } from "../../core/errors.ts";
import type { Failure } from "./protocol.ts";

const BUSY = 5;
const FULL = 13;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
/** Extended codes: a write or truncation that the file-size limit or a quota stopped; a flush that failed. */
const IO_WRITE = 778;
const IO_TRUNCATE = 1546;
const IO_FSYNC = 1034;

/** A write to the log that a full disk, a quota or the file-size limit stopped. */
const NO_ROOM: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const FLUSHES: ReadonlySet<unknown> = new Set(["fdatasync", "fsync"]);

const FULL_RETRY_AFTER_MS = 5_000;

/** A PrickleError as it is; anything else as the ledger's error that fits. */
export function asLedgerError(thrown: unknown, path: string): PrickleError {
  if (thrown instanceof PrickleError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const [code, hint] = explain(hasNoRoom(thrown) ? FULL : errorCodeOf(thrown));
  const retryAfterMs = code === "LEDGER_FULL" ? { retryAfterMs: FULL_RETRY_AFTER_MS } : {};
  return new PrickleError(code, `${path}: ${message}`, { hint, cause: thrown, ...retryAfterMs });
}

/** The same, as it crosses threads. */
export function failureOf(thrown: unknown, path: string): Failure {
  const { code, message, hint, retryAfterMs } = asLedgerError(thrown, path);
  return { code, message, hint, retryAfterMs };
}

/** After a failed flush nobody knows what is on disk: the process must not go on as if it did. */
export function isFlushFailure(thrown: unknown): boolean {
  if (thrown instanceof Error && "syscall" in thrown) return FLUSHES.has(thrown.syscall);
  return errorCodeOf(thrown) === IO_FSYNC;
}

function hasNoRoom(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && NO_ROOM.has(thrown.code);
}

function explain(code: number | null): readonly [ErrorCode, string] {
  switch (code) {
    case BUSY:
      return [
        "LEDGER_LOCKED",
        "Another prickle uses this data directory: stop it, or name another one with --data-dir.",
      ];
    case FULL:
    case IO_WRITE:
    case IO_TRUNCATE:
      return ["LEDGER_FULL", "The disk is full: make room. Senders are asked to come again; nothing is lost."];
    case NOT_A_DATABASE:
    case CORRUPT:
      return [
        "LEDGER_UNAVAILABLE",
        "The file is damaged or not a ledger of prickle: restore it from a backup, or move it away.",
      ];
    default:
      return ["LEDGER_UNAVAILABLE", "Look at the disk and the rights of the data directory, then start prickle again."];
  }
}

function errorCodeOf(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !("errcode" in thrown)) return null;
  return typeof thrown.errcode === "number" ? thrown.errcode : null;
}
