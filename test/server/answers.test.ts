import { describe, expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import { errorAnswer } from "../../src/server/answers.ts";

describe("answers to Segment's clients", () => {
  it("carry code and message", () => {
    const { status, headers, body } = errorAnswer(new PrickleError("UNAUTHORIZED", "No.", { hint: "Knock." }));
    expect(status).toBe(401);
    expect(headers).not.toHaveProperty("retry-after");
    expect(JSON.parse(body)).toEqual({ success: false, code: "UNAUTHORIZED", message: "No.", hint: "Knock." });
  });

  it.each([
    [undefined, "1"],
    [1, "1"],
    [1001, "2"],
    [3_600_000, "300"],
  ])("ask to come again in whole seconds: %s ms", (retryAfterMs, seconds) => {
    const details = retryAfterMs === undefined ? {} : { retryAfterMs };
    const { status, headers } = errorAnswer(new PrickleError("LEDGER_FULL", "Full.", details));
    expect(status).toBe(503);
    expect(headers).toMatchObject({ "retry-after": seconds, "x-ratelimit-reset": seconds });
  });
});
