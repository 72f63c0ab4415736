import { describe, expect, it } from "vitest";
import { checkMapping } from "../../../src/core/mapping/compile.ts";
import { NO_ENVIRONMENT } from "../../../src/core/mapping/environment.ts";
import { rootScope } from "../../../src/core/mapping/expression.ts";
import { type Condition, compileCondition as compile } from "../../../src/core/mapping/fql/condition.ts";
import type { Dialect, PlacedProblem } from "../../../src/core/mapping/scope.ts";

function compileCondition(text: string, dialect: Dialect = "prickle", problems: PlacedProblem[] = []): Condition {
  const given = { file: "my.yaml", environment: NO_ENVIRONMENT, groupTypes: ["company"], groupReads: [] };
  return compile(text, rootScope({ ...given, dialect, comparesSegment: true, problems }));
}

/** What is said of a condition, errors and warnings alike. */
function saidOf(text: string, dialect: Dialect = "prickle"): string {
  const problems: PlacedProblem[] = [];
  compileCondition(text, dialect, problems);
  return problems.map(({ message }) => message).join("\n");
}

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

describe("escapes", () => {
  const isFor = (text: string, event: string) => compileCondition(text)({ event });

  it("in a text are those of quotes and of the backslash itself; any other backslash stays", () => {
    for (const [text, event] of [
      [String.raw`event = "a\\b"`, String.raw`a\b`],
      [String.raw`event = "a\b"`, String.raw`a\b`],
      ['event = "\\"\\\\"', '"\\'],
      [String.raw`event = 'it\'s'`, "it's"],
      [String.raw`contains(event, "\\")`, String.raw`a\b`],
    ] as const)
      expect({ text, holds: isFor(text, event) }).toEqual({ text, holds: true });
    expect(saidOf(String.raw`event = "a\\b"`)).toMatch(/Segment takes each backslash as it is written/);
  });

  it("in a glob are those of globs", () => {
    for (const [text, event, holds] of [
      ['match(event, "a\\*")', "a*", true],
      ['match(event, "a\\*")', "ab", false],
      [String.raw`match(event, "a\\*")`, String.raw`a\xyz`, true],
      [String.raw`match(event, "a\\*")`, "a*", false],
      [String.raw`match(event, "*\"*")`, 'say "x"', true],
    ] as const)
      expect({ text, event, holds: isFor(text, event) }).toEqual({ text, event, holds });
  });
});

describe("what is hardly meant", () => {
  it("is said when it is loaded: a number that begins with a dot, a constant in capitals", () => {
    expect(saidOf("properties.seats > .5")).toMatch(/found "\.5"; a digit is needed before the dot .*character 20/);
    expect(saidOf(".properties.seats = 5")).toMatch(/no dot before a field/);
    for (const word of ["True", "FALSE", "Null"])
      expect(saidOf(`!(userId != ${word})`)).toMatch(`${word} is read as a field; did you mean ${word.toLowerCase()}?`);
    expect(saidOf("properties.True = true")).not.toMatch(/read as a field/);
  });
});

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
    // As Segment's documentation has it: spaces are replaced, and nothing else.
    'snakecase("Test String") = "Test_String" and kebabcase("Test String") = "Test-String"',
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
  ])("refuses %s", (text, message) => expect(saidOf(text)).toMatch(message));

  it("matches a hostile glob in bounded time", () => {
    const condition = compileCondition(`match(event, "${"*a".repeat(60)}b")`);
    expect(condition({ event: "a".repeat(2000) })).toBe(false);
  });
});

/** Measured: what Segment's own evaluator (destination-subscriptions 3.37.0) makes of it. */
const OTHERWISE_AT_SEGMENT: readonly (readonly [when: string, how: RegExp])[] = [
  ['type = "a" and event = "b" or userId = "c"', /joins them all by the last word, "or"/],
  ['type = "a" or event = "b" and userId = "c"', /joins them all by the last word, "and"/],
  ['!(type = "identify")', /ignores "!" before anything but contains\(\) and match\(\) \(character 1\)/],
  ['type = "a" and (event = "b" or (event = "c" and userId = "d"))', /ends a group at the first "\)".*character 32/],
  ['(contains(event, "x") or type = "a")', /ends a group at the first "\)"/],
  ["type = 'track'", /takes single quotes as part of the text/],
  ['type in ["track"]', /neither "in" nor lists/],
  ['match(event, "Signed Up")', /"ends with igned Up"/],
  ['match(event, "S*Up")', /"ends with \*Up"/],
  ['match(event, "S?gned*")', /"starts with S\?gned"/],
  ['event = "Say \\"hi\\""', /does not know escaped quotes/],
  ["event != null", /compares event with the text "null"/],
  ['groupId = "x"', /does not know the field groupId/],
  ['properties = "x"', /does not know properties as a whole/],
  ['properties.$plan = "x"', /cannot read the field properties\.\$plan/],
  ["length(event) = 3", /knows only comparisons/],
  ["properties.paid", /knows only comparisons/],
  ["properties.seats != 5", /gives false here, not true, where the field is missing or no number/],
  ["properties.paid != true", /holds for "true" itself too/],
  ["userId = 5", /compares userId with the text "5"/],
  ['properties.seats < "5"', /compares with the number that/],
  ["properties.seats = 1e3", /reads the digits before the exponent only/],
  ["properties.a = properties.b", /compares with the text as it is written/],
  ['!contains(event, "x")', /gives false here, not true, where the field is missing or no text/],
  ['contains(type, "x")', /leaves out contains\(\) of type/],
  ['match("a*", event)', /cannot read this/],
];

describe("a condition that Segment reads otherwise", () => {
  it.each(OTHERWISE_AT_SEGMENT)("gets a warning that says how: %s", (when, how) => {
    expect(saidOf(when, "segment")).toMatch(how);
    expect(saidOf(when)).toMatch(how);
  });

  it.each([
    'type = "track" and event = "Order Placed" and userId != null',
    '(type = "track" or type = "page") and (properties.plan = "a" or properties.seats > 5)',
    'contains(event, "Order") and match(name, "a*") and match(userId, "*b")',
    "properties.paid = true and traits.seats = 5 and context.app\\ name = null",
    'properties.plan != "free" and type != "page"',
  ])("gets none where Segment reads the same: %s", (when) => expect(saidOf(when, "segment")).toBe(""));

  it("gets none in a mapping that says `dialect: prickle`", () => {
    const rules = [{ name: "r", when: "type in ['track']", groupIdentify: { groupType: "a", groupKey: "k" } }];
    const said = (dialect: object) =>
      checkMapping({ name: "m", file: "m.yaml", text: JSON.stringify({ ...dialect, groupTypes: ["a"], rules }) });
    expect(said({})).toHaveLength(1);
    expect(said({ dialect: "prickle" })).toEqual([]);
  });
});
