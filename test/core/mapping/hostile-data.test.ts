/** What a sender can put into a record must neither stop the mapping of it nor take long. */

import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Mapped } from "../../../src/core/mapping/mapping.ts";
import { compileValue, recordOf } from "./shipped.ts";

const apply = (value: unknown, payload: JsonObject, dialect = "prickle"): Mapped =>
  compileValue(value, dialect).apply(recordOf(payload));

describe.each(["prickle", "segment"])("values nested deeply, in the dialect %s", (dialect) => {
  const decode = { "@json": { mode: "decode", value: { "@path": "$.text" } } };

  it.each([
    ["lists", (levels: number) => "[".repeat(levels) + "]".repeat(levels)],
    ["objects", (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`],
  ])("@json decodes %s of 100 levels, and refuses deeper ones", (_what, nested) => {
    expect(apply(decode, { text: nested(100) }, dialect)).toMatchObject({ drafts: [{ kind: "event" }], problems: [] });
    for (const levels of [101, 400_000])
      expect(apply(decode, { text: nested(levels) }, dialect)).toMatchObject({
        drafts: [],
        problems: [{ reason: "invalid_field", detail: expect.stringContaining("deeper than 100 levels") }],
      });
  });
});
