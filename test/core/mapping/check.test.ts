import { describe, expect, it } from "vitest";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { mappingJsonSchema } from "../../../src/core/mapping/file-schema.ts";

const problemsOf = (text: string) =>
  checkMapping(text, "my.yaml").map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`);

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

  it.each(["@liquid", "__segment_internal_directive"])("refuses %s, which is Segment's and not ours yet", (name) => {
    const text = `groupTypes: [a]\nrules:\n  - name: b\n    event: { name: { "${name}": x }, distinctId: b }\n`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(`^4:\\d+ rules\\[0\\]\\.event\\.name\\.${name} unknown directive`),
    ]);
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
    ["a key written twice", "groupTypes: [a]\ngroupTypes: [b]\nrules: []\n", /unique/],
    [
      "a sixth group type",
      "groupTypes: [a, b, c, d, e, f]\nrules: [{ name: a, reject: { reason: no_rule, detail: x } }]",
      /5/,
    ],
    ["an anchor within itself", "groupTypes: [a]\nrules: &r [*r]\n", /anchor contains itself/],
    ["a file of 10 MB", `# ${"x".repeat(10_000_000)}`, /1000000 are allowed/],
    [
      "a rule that makes nothing",
      "groupTypes: [a]\nrules: [{ name: a }]\n",
      /groupIdentify, event or reject is missing/,
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

  it("gives editors a schema that knows the directives", () => {
    expect(JSON.stringify(mappingJsonSchema())).toContain('"@arrayPath"');
  });
});
