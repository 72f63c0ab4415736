import { describe, expect, it } from "vitest";
import { groupTypeProblem } from "../../src/core/group.ts";

describe("a group type", () => {
  it.each(["company", "Company", "with space", "é"])("may be %j", (groupType) => {
    expect(groupTypeProblem(groupType)).toBeNull();
  });

  it.each(["", "x".repeat(401), "constructor", "__proto__", "toString"])("may not be %j", (groupType) => {
    expect(groupTypeProblem(groupType)).toEqual(expect.any(String));
  });
});
