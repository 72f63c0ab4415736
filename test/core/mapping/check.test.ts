import { describe, expect, it } from "vitest";
import { isJsonObject } from "../../../src/core/json.ts";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { DIRECTIVE_SCHEMAS } from "../../../src/core/mapping/directive-schemas.ts";
import { DIRECTIVES } from "../../../src/core/mapping/directives.ts";
import { mappingJsonSchema } from "../../../src/core/mapping/json-schema.ts";
import { mappingProblemLine } from "../../../src/core/mapping/mapping-text.ts";

const problemsOf = (text: string) =>
  checkMapping({ name: "my", text, file: "my.yaml" }).map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  );

const WRONG = `groupTypes: [company, constructor, company]
rules:
  - name: first
    when: type = "group
    groupIdentify:
      groupType: company
      groupKey: { "@pth": $.groupId }
  - name: second
    event:
      name: { "@path": $.event, "@literal": x }
      distinctId: { "@case": { operator: big, value: x } }
  - name: third
    reject: { reason: no_rule, detail: never }
`;

describe("checking a mapping", () => {
  it("says every problem at once, with its place", () => {
    expect(problemsOf(WRONG)).toEqual([
      expect.stringMatching(/^1:23 groupTypes\[1\] .*unsafe/),
      expect.stringMatching(/^1:23 groupTypes\[1\] no rule makes a group/),
      expect.stringMatching(/^1:36 groupTypes\[2\] "company" is written twice/),
      expect.stringMatching(/^4:11 rules\[0\]\.when cannot read .*character 8/),
      expect.stringMatching(
        /^7:\d+ rules\[0\]\.groupIdentify\.groupKey\.@pth unknown directive.*Did you mean "@path"\?/,
      ),
      expect.stringMatching(/^10:13 rules\[1\]\.event\.name found 2 keys/),
      expect.stringMatching(/^11:\d+ rules\[1\].*@case\.operator found "big"; lower, upper are allowed/),
      expect.stringMatching(/^12:5 rules\[2\] never reached/),
    ]);
  });

  it("names an unknown key and the nearest known one", () => {
    const text = "groupTypes: [company]\nrules:\n  - name: a\n    evnt: { name: a, distinctId: b }\n";
    expect(problemsOf(text)).toContainEqual(expect.stringMatching(/^4:\d+ rules\[0\]\.evnt .*Did you mean "event"\?/));
  });

  it("says of a value of the wrong kind what was found and what is allowed", () => {
    const text = "groupTypes: company\nrules:\n  - { name: a, reject: { reason: nonsense, detail: x } }\n";
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^1:\d+ groupTypes found "company"; a list is needed\./),
      expect.stringMatching(/^3:\d+ rules\[0\]\.reject\.reason found "nonsense"; unsupported_type, .* are allowed\./),
    ]);
  });

  it("looks through the other rules when the form of one is wrong", () => {
    const text =
      "groupTypes: [a]\nrules:\n  - evnt: {}\n  - name: b\n    when: type = (\n    event: { name: a, distinctId: b }\n";
    expect(problemsOf(text).join("\n")).toMatch(/evnt[\s\S]*rules\[1\]\.when/);
  });

  it.each([
    ["malformed YAML", "rules: [", /^1|^2/],
    ["nothing", "", /groupTypes|an object is needed/],
    ["a key written twice", "groupTypes: [a]\ngroupTypes: [b]\nrules: []\n", /"groupTypes" is written twice/],
    [
      "a sixth group type",
      "groupTypes: [a, b, c, d, e, f]\nrules: [{ name: a, reject: { reason: no_rule, detail: x } }]",
      /5/,
    ],
    ["an anchor within itself", "groupTypes: [a]\nrules: &r [*r]\n", /anchor &r contains itself/],
    ["a file of 10 MB", `# ${"x".repeat(10_000_000)}`, /1000000 are allowed/],
    [
      "a rule that makes nothing",
      "groupTypes: [a]\nrules: [{ name: a }]\n",
      /groupIdentify, event, membership, join or reject is missing/,
    ],
  ])("refuses %s", (_what, text, message) => expect(problemsOf(text).join("\n")).toMatch(message));

  it("refuses to compile, with the same list", () => {
    expect(() => compileMapping({ name: "my", file: "my.yaml", text: WRONG })).toThrow(
      expect.objectContaining({
        code: "MAPPING_INVALID",
        message: expect.stringContaining("my.yaml:4:11 rules[0].when"),
      }),
    );
  });

  it("gives editors a schema that knows the directives, and of each the keys that the compiler knows", () => {
    expect(Object.keys(DIRECTIVE_SCHEMAS).sort()).toEqual([...DIRECTIVES.keys()].sort());
    for (const [name, { properties }] of Object.entries(DIRECTIVE_SCHEMAS)) {
      if (!isJsonObject(properties)) continue;
      const rule = { name: "r", event: { name: { [name]: { nonsense: 1 } }, distinctId: "d" } };
      const said = problemsOf(JSON.stringify({ groupTypes: ["a"], rules: [rule] })).join("\n");
      const allowed = /unknown key; (.*?) are allowed/.exec(said)?.[1]?.split(", ");
      expect({ name, keys: allowed?.sort() }).toEqual({ name, keys: Object.keys(properties).sort() });
    }
  });

  it("gives editors a schema that takes what either dialect runs", () => {
    const { "@case": change, "@replace": replace } = DIRECTIVE_SCHEMAS;
    expect(change?.required).toEqual(["operator"]);
    expect(replace?.properties).toMatchObject({
      replacement: { type: ["string", "null"] },
      replacement2: { type: ["string", "null"] },
    });
  });

  it("gives editors a schema for mappings that extend others, and one for those that do not", () => {
    const { then: extension, else: alone } = mappingJsonSchema() as Record<
      string,
      { properties: Record<string, { items?: { properties: object } }> }
    >;
    expect(Object.keys(extension?.properties ?? {})).toEqual([
      "extends",
      "dialect",
      "groupTypes",
      "addGroupTypes",
      "groups",
      "rules",
    ]);
    expect(Object.keys(alone?.properties ?? {})).toEqual(["dialect", "groupTypes", "groups", "rules"]);
    expect(extension?.properties.rules?.items?.properties).toMatchObject({ before: {}, after: {}, remove: {} });
  });

  const HEAD = "groupTypes: [company, project]\nrules:\n";
  const rule = (name: string, when: string, groupType = '{ "@path": $.t }') =>
    `  - { name: ${name}, when: ${JSON.stringify(when)}, groupIdentify: { groupType: ${groupType}, groupKey: k } }\n`;

  it.each([
    ["the same condition", ['type = "track"', 'type = "track"']],
    ["the same in other words", ['type = "track" and event = "A"', "event in ['A'] and (type = 'track')"]],
    ["a narrower one", ['type = "track"', 'type = "track" and event = "A"']],
    ["one of several", ['type in ["track", "page"]', 'type = "page"']],
    ["a number within bounds", ["properties.n >= 5", "properties.n > 5 and properties.n < 7"]],
    ["a number at the bound", ["properties.n >= 5", "properties.n = 5"]],
    ["a number that is named", ["properties.n > 5", "properties.n = 6"]],
    ["what is not excluded", ['event != "B"', 'event = "A"']],
    ["each alternative caught by another rule", ['event = "A"', 'event = "B"', 'event = "A" or event = "B"']],
    ["always", ["true", 'event = "A"']],
    ["a function asked again", ['contains(event, "x")', 'contains(event, "x") and userId != null']],
  ])("says that a rule is never reached: %s", (_what, conditions) => {
    const text = HEAD + conditions.map((when, index) => rule(`r${index}`, when)).join("");
    const last = conditions.length - 1;
    expect(problemsOf(text).join("\n")).toMatch(new RegExp(`rules\\[${last}\\] never reached: rule "r0"`));
  });

  it.each([
    [['type = "track" and event = "A"', 'type = "track"']],
    [['event != "A"', 'event = "A"']],
    [["properties.n > 5", "properties.n >= 5"]],
    [["properties.n > 5", "properties.n = '6'"]],
    [["properties.n != 5", "properties.n > 4"]],
    [['contains(event, "x")', '!contains(event, "x")']],
    [["event = null", "userId = null"]],
    [["!(properties.n > 5)", "properties.n = 'x' or properties.n = 6"]],
  ])("says nothing of %j", (conditions) => {
    const text = HEAD + conditions.map((when, index) => rule(`r${index}`, when)).join("");
    expect(problemsOf(text).filter((line) => /never/.test(line))).toEqual([]);
  });

  it.each([
    'type = "track" and type = "group"',
    'type = "track" and !(type = "track")',
    'type in ["a", "b"] and type != "a" and type != "b"',
    "properties.n > 5 and properties.n <= 5",
    'properties.n > 5 and properties.n = "6"',
    "properties.n = 4 and properties.n > 5",
    'contains(event, "x") and !contains(event, "x")',
    "false",
    '(event = "A" or event = "B") and event = "C"',
  ])("says that a condition never holds: %s", (when) => {
    expect(problemsOf(HEAD + rule("r", when)).join("\n")).toMatch(
      /rules\[0\]\.when never holds: it contradicts itself/,
    );
  });

  it("warns of a type that no call has, with the nearest that is one", () => {
    expect(problemsOf(HEAD + rule("r", 'type = "trakc"')).join("\n")).toMatch(
      /"trakc" is no type of call.*mean "track"/,
    );
  });

  it("refuses a group type that is not declared, and warns of one that is never made", () => {
    const text = HEAD + rule("r", 'type = "group"', "compny");
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^1:14 groupTypes\[0\] no rule makes a group of type "company"/),
      expect.stringMatching(/^1:23 groupTypes\[1\] no rule makes a group of type "project"/),
      expect.stringMatching(
        /groupIdentify\.groupType "compny" is not among groupTypes: company, project\. .*"company"/,
      ),
    ]);
    const event = "  - { name: e, event: { name: e, distinctId: d, groups: { projct: k } } }\n";
    expect(problemsOf(HEAD + event).join("\n")).toMatch(/event\.groups "projct" is not among groupTypes/);
  });

  it("warns of a property written twice in a @merge", () => {
    const value = (objects: string) =>
      `groupTypes: [a]\nrules:\n  - { name: r, groupIdentify: { groupType: a, groupKey: k, properties: { "@merge": { objects: ${objects} } } } }\n`;
    expect(problemsOf(value('[{ a: { "@path": $.a } }, { a: 1 }]'))).toEqual([
      expect.stringMatching(/objects\[0\]\.a written twice: that of objects\[1\] always wins/),
    ]);
    expect(problemsOf(value('[{ a: 1 }, { a: { "@path": $.a } }]'))).toEqual([]);
  });

  it("compiles with warnings, and marks them", () => {
    const text = "groupTypes: [a, b]\nrules:\n  - { name: r, groupIdentify: { groupType: a, groupKey: k } }\n";
    expect(compileMapping({ name: "my", file: "my.yaml", text }).groupTypes).toEqual(["a", "b"]);
    const [problem] = checkMapping({ name: "my", file: "my.yaml", text });
    expect(problem).toMatchObject({ severity: "warning", line: 1, path: "groupTypes[1]" });
    if (problem) expect(mappingProblemLine(problem)).toMatch(/^my\.yaml:1:17 groupTypes\[1\]: warning: no rule/);
  });

  it("refuses two rules of one name", () => {
    expect(problemsOf(HEAD + rule("r", 'type = "page"') + rule("r", 'type = "track"')).join("\n")).toMatch(
      /rules\[1\] a rule "r" is written before/,
    );
  });
});
