import { describe, expect, it } from "vitest";
import { compileCondition } from "../../../src/core/mapping/fql.ts";

const CALL = {
  type: "track",
  event: 'Say "hi"',
  userId: "u1",
  groupId: "g1",
  properties: {
    plan: "team",
    seats: 12,
    paid: true,
    "product 1": { price: 3 },
    tags: ["a", "b"],
    none: null,
    city: "Zürich",
  },
};

const holds = (text: string) => compileCondition(text)(CALL);

describe("an FQL condition", () => {
  it.each([
    'type = "track"',
    "type = 'track'",
    'event = "Say \\"hi\\""',
    'groupId = "g1"',
    "properties.seats >= 12 and properties.seats < 13",
    'properties.seats != "12"',
    "properties.paid",
    "!properties.none",
    "properties.missing = null and properties.none = null",
    "type in ['track', 'page']",
    '"a" in properties.tags',
    "properties.product\\ 1.price = 3",
    'type = "track" or type = "x" and type = "y"',
    '(type = "x" or type = "track") and !(type = "page")',
    'match(properties.plan, "t?[a-f]*m")',
    'contains(properties.plan, "ea")',
    "length(properties.tags) = 2",
    "length(properties.city) = 7",
    "length(properties.none) = 0",
    'typeof(properties.tags) = "list" and typeof(properties.missing) = "null"',
    'uppercase(properties.plan) = "TEAM"',
    'snakecase("Test String") = "test_string" and kebabcase("Test String") = "test-string"',
    'titlecase("test string") = "Test String"',
    'number("12") = properties.seats and string(12) = "12" and bool("true")',
  ])("holds: %s", (text) => expect(holds(text)).toBe(true));

  it.each([
    'type = "page"',
    "properties.seats = '12'",
    "properties.plan > 3",
    'match(properties.plan, "tea")',
    "properties.plan",
    "properties.constructor != null",
    'contains(properties.none, "x")',
    'type = "x" and type = "track" or type = "y"',
  ])("does not hold: %s", (text) => expect(holds(text)).toBe(false));

  it.each([
    ["", /found the end/],
    ['type = "track', /cannot read/],
    ['type == "track"', /found "="/],
    ["lenght(type) = 1", /Did you mean "length"/],
    ["contains(type)", /takes 2 values; found 1/],
    ['type = "a" type', /"and", "or" or the end/],
    ["(".repeat(5000), /nested deeper/],
  ])("refuses %s", (text, message) => expect(() => compileCondition(text)).toThrow(message));

  it("matches a hostile glob in bounded time", () => {
    const condition = compileCondition(`match(event, "${"*a".repeat(60)}b")`);
    expect(condition({ event: "a".repeat(2000) })).toBe(false);
  });
});
