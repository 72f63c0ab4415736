/** Every error prickle raises, in one table: what may be tried again, what a caller over HTTP is told, how a command exits. */

interface ErrorKind {
  readonly retryable: boolean;
  /** HTTP status a door answers with. */
  readonly status: number;
  /** Exit code of the CLI, after sysexits(3). */
  readonly exitCode: number;
}

export const ERRORS = {
  /** A command was called with options that make no sense. */
  USAGE: { retryable: false, status: 400, exitCode: 64 },
  /** prickle.yaml or its environment is wrong. */
  CONFIG_INVALID: { retryable: false, status: 500, exitCode: 78 },
  /** A mapping file is wrong. */
  MAPPING_INVALID: { retryable: false, status: 500, exitCode: 78 },
  /** What came in is not what the door or the file format takes. */
  INPUT_INVALID: { retryable: false, status: 400, exitCode: 65 },
  INPUT_TOO_LARGE: { retryable: false, status: 413, exitCode: 65 },
  /** A file changed since its checkpoint was written. */
  INPUT_CHANGED: { retryable: false, status: 409, exitCode: 65 },
  /** A source that is asked does not answer, or not as it should. */
  SOURCE_UNAVAILABLE: { retryable: true, status: 503, exitCode: 75 },
  /** A source that is asked wants to be left alone for a while. */
  SOURCE_LIMITED: { retryable: true, status: 503, exitCode: 75 },
  /** A source that is asked does not take the credentials, or they do not reach far enough. */
  SOURCE_REFUSED: { retryable: false, status: 502, exitCode: 77 },
  /** A source that is asked is not what it was, or not what the configuration says. */
  SOURCE_CHANGED: { retryable: false, status: 409, exitCode: 65 },
  UNAUTHORIZED: { retryable: false, status: 401, exitCode: 77 },
  NOT_FOUND: { retryable: false, status: 404, exitCode: 66 },
  /** The disk is full, or the outbox is as deep as it may be. */
  LEDGER_FULL: { retryable: true, status: 503, exitCode: 75 },
  /** Another process holds the data directory. */
  LEDGER_LOCKED: { retryable: true, status: 503, exitCode: 75 },
  /** The ledger cannot be read or written now. */
  LEDGER_UNAVAILABLE: { retryable: true, status: 503, exitCode: 75 },
  /** The ledger was written by a newer prickle. */
  LEDGER_TOO_NEW: { retryable: false, status: 500, exitCode: 78 },
  ENGINE_UNAVAILABLE: { retryable: true, status: 503, exitCode: 75 },
  /** A running prickle holds the data directory but does not answer. */
  SERVER_UNREACHABLE: { retryable: true, status: 503, exitCode: 69 },
  /** More is being taken in at the moment than memory allows. */
  OVERLOADED: { retryable: true, status: 503, exitCode: 75 },
  STOPPING: { retryable: true, status: 503, exitCode: 75 },
  INTERNAL: { retryable: false, status: 500, exitCode: 70 },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** What the reader can do about it: one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfterMs?: number;
}

export class PrickleError extends Error {
  override readonly name = "PrickleError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause, retryAfterMs }: ErrorDetails = {}) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
    this.retryAfterMs = retryAfterMs;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}

/** Whatever was thrown, as a PrickleError: itself, or INTERNAL with the original as cause. */
export function toPrickleError(thrown: unknown): PrickleError {
  if (thrown instanceof PrickleError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new PrickleError("INTERNAL", message, { cause: thrown });
}
