import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode, PrickleError, toPrickleError } from "../../src/core/errors.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];

describe("the error table", () => {
  it("answers what may be tried again with 503, so that no sender drops it, and nothing else", () => {
    for (const code of CODES) expect([code, ERRORS[code].status === 503]).toEqual([code, ERRORS[code].retryable]);
  });

  it("gives exit codes of sysexits", () => {
    for (const code of CODES) {
      expect(ERRORS[code].exitCode).toBeGreaterThanOrEqual(64);
      expect(ERRORS[code].exitCode).toBeLessThanOrEqual(78);
    }
  });
});

describe("toPrickleError", () => {
  it("leaves a PrickleError as it is", () => {
    const error = new PrickleError("NOT_FOUND", "No such file.");
    expect(toPrickleError(error)).toBe(error);
  });

  it("keeps what was thrown as the cause of an INTERNAL", () => {
    const thrown = new TypeError("x is not a function");
    expect(toPrickleError(thrown)).toMatchObject({ code: "INTERNAL", message: thrown.message, cause: thrown });
    expect(toPrickleError("text")).toMatchObject({ code: "INTERNAL", message: "text" });
  });
});
