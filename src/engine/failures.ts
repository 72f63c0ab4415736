/** What DuckDB says went wrong, as errors of prickle. */

import { PrickleError } from "../core/errors.ts";

/** Opening failed. */
export function openFailure(thrown: unknown, path: string): PrickleError {
  const said = firstLine(thrown);
  if (/could not set lock|conflicting lock/i.test(said)) return lockedFailure(path, thrown);
  if (isForeign(said)) {
    return new PrickleError("INPUT_INVALID", `${path}: this is not a database the engine can read (${said})`, {
      hint: "Restore it from a backup, or move it away: the engine makes a new one, which a backfill fills again.",
      cause: thrown,
    });
  }
  return new PrickleError("ENGINE_UNAVAILABLE", `${path}: the engine's file cannot be opened (${said})`, {
    hint: "See that the disk has room and the directory can be written; what was not confirmed is delivered again.",
    cause: thrown,
  });
}

export function lockedFailure(path: string, cause?: unknown): PrickleError {
  return new PrickleError("ENGINE_UNAVAILABLE", `${path}: another process holds the engine's file`, {
    hint: `Stop the other prickle that uses ${path}, or ask that one: its server answers the same questions.`,
    cause,
  });
}

/** A statement failed: the world (disk, memory) rather than our SQL, unless DuckDB says otherwise. */
export function statementFailure(thrown: unknown, path: string): PrickleError {
  if (thrown instanceof PrickleError) return thrown;
  const said = firstLine(thrown);
  if (/^(Parser|Binder|Catalog|Conversion|Not implemented) Error/i.test(said)) {
    return new PrickleError("INTERNAL", `${path}: ${said}`, { cause: thrown });
  }
  const hint = /^Out of Memory/i.test(said)
    ? "Ask for a shorter range, or give the engine more memory in prickle.yaml."
    : "See that the disk has room; what was not confirmed is delivered again.";
  return new PrickleError("ENGINE_UNAVAILABLE", `${path}: the engine cannot work now (${said})`, {
    hint,
    cause: thrown,
  });
}

function isForeign(said: string): boolean {
  return /not a valid DuckDB|serialization error|version number|corrupt|checksum|failure while replaying WAL|could not read (enough|all) bytes/i.test(
    said,
  );
}

function firstLine(thrown: unknown): string {
  const [line = ""] = (thrown instanceof Error ? thrown.message : String(thrown)).split("\n");
  return line.slice(0, 300);
}
