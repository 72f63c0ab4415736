/** Whatever is wrong in one place of a mapping must not hide what is wrong in another. */

import { describe, expect, it } from "vitest";
import { checkMapping } from "../../../src/core/mapping/compile.ts";
import { NO_ENVIRONMENT } from "../../../src/core/mapping/environment.ts";
import { mappingProblemLine } from "../../../src/core/mapping/mapping-text.ts";

const BASES: Readonly<Record<string, string>> = {
  broken: "groupTypes: [a\n",
  base: `groupTypes: [company]
rules:
  - name: group
    when: type = "group"
    groupIdentify: { groupType: company, groupKey: { "@path": $.groupId } }
  - { name: rest, reject: { reason: no_rule, detail: x } }
`,
};
const environment = {
  ...NO_ENVIRONMENT,
  preset: (name: string) => {
    const text = BASES[name];
    return text === undefined ? { absent: "found no such mapping" } : { name, file: `${name}.yaml`, text, environment };
  },
};
const linesOf = (text: string) =>
  checkMapping({ name: "my", file: "my", text, environment }).map((problem) =>
    mappingProblemLine(problem).replace(/; @path, .* are allowed\./, ";"),
  );
const errorsOf = (text: string) => linesOf(text).filter((line) => !line.includes(": warning: "));

describe("every problem at once", () => {
  it("also where the form of a rule is wrong", () => {
    const text = `groupTypes: [company, company, 5]
rules:
  - name: a
    wen: type = "group"
    groupIdentify: { groupType: compny, groupKey: x }
  - name: b
    reject: { reason: no_rul, detail: "" }
  - name: b
    when: type = "a" and type = "b"
    event: { name: E, propertis: { a: 1 }, properties: { "@pth": x } }
  - when: type = (
    event: { name: "", distinctId: u }
  - name: c
`;
    expect(linesOf(text)).toEqual([
      'my:1:23 groupTypes[1]: "company" is written twice',
      "my:1:32 groupTypes[2]: found 5; text is needed.",
      expect.stringMatching(/^my:4:10 rules\[0\]\.wen: unknown key; .* Did you mean "when"\?/),
      expect.stringMatching(/^my:5:33 rules\[0\]\.groupIdentify\.groupType: "compny" is not among groupTypes/),
      expect.stringMatching(/^my:7:23 rules\[1\]\.reject\.reason: found "no_rul"; .* Did you mean "no_rule"\?/),
      'my:7:39 rules[1].reject.detail: found ""; at least one character is needed.',
      'my:8:5 rules[2]: a rule "b" is written before',
      expect.stringMatching(/^my:10:34 rules\[2\]\.event\.propertis: unknown key; .* Did you mean "properties"\?/),
      "my:11:5 rules[3].name: found nothing; text is needed.",
      expect.stringMatching(/^my:11:11 rules\[3\]\.when: found the end/),
      'my:12:20 rules[3].event.name: found ""; without a name nothing comes of it',
      "my:13:5 rules[4]: groupIdentify, event, membership, join or reject is missing",
    ]);
  });

  it("says nothing of rules after one whose condition may be what is written wrongly", () => {
    const text = `groupTypes: [a]
rules:
  - { name: a, wen: type = "group", reject: { reason: no_rule, detail: x } }
  - { name: b, when: 5, reject: { reason: no_rule, detail: x } }
  - { name: c, reject: { reason: no_rule, detail: x } }
`;
    expect(linesOf(text)).toEqual([
      expect.stringMatching(/^my:3:21 rules\[0\]\.wen/),
      "my:4:22 rules[1].when: found 5; text is needed.",
    ]);
  });

  it.each([
    ["is not there", "extends: hubspto"],
    ["cannot be read", "extends: broken"],
    ["is not named", "extends: 5"],
  ])("also where the mapping it extends %s", (_what, first) => {
    const rules = "rules:\n  - { name: a, when: type = (, event: { name: { '@pth': x } } }\n";
    const lines = errorsOf(`${first}\naddGroupTypes: [b, b]\n${rules}`).join("\n");
    expect(lines).toMatch(/"b" is written twice[\s\S]*rules\[0\]\.when[\s\S]*@pth: unknown directive/);
    expect(lines).not.toMatch(/is missing/);
  });
});

describe("keys and anchors", () => {
  const file = (properties: string, more = "") =>
    `dialect: prickle\ngroupTypes: [company]\nrules:\n  - name: a\n    event: { name: E, distinctId: u, groups: { company: k }, properties: ${properties} }\n${more}`;

  it("says of a key written twice where, and goes on", () => {
    expect(linesOf(file('{ a: 1, "b.c": { d: 1, d: 2 }, a: 2, e: { "@pth": x } }'))).toEqual([
      'my:5:97 rules[0].event.properties.b.c.d: "d" is written twice',
      'my:5:105 rules[0].event.properties.a: "a" is written twice',
      'my:5:124 rules[0].event.properties.e.@pth: unknown directive; Did you mean "@path"?',
    ]);
  });

  it("allows an anchor to be used often, and says where anchors unfold into too much", () => {
    const often = file(`{ a: &a { "@path": $.a }, b: [${Array(3000).fill("*a").join(", ")}] }`);
    expect(linesOf(often)).toEqual([]);
    const levels = Array.from(
      { length: 20 },
      (_, index) => `b${index}: &b${index} [${index ? `*b${index - 1}, *b${index - 1}` : "1"}]`,
    );
    expect(linesOf(file(`{ ${levels.join(", ")} }`))).toEqual([
      expect.stringMatching(
        /^my:5:\d+ rules\[0\]\.event\.properties\.b15\[0\]: anchors used again come to more than 100000 values/,
      ),
    ]);
  });

  it.each([
    [
      "an anchor within itself",
      "&p { a: [*p] }",
      /^my:5:\d+ rules\[0\]\.event\.properties\.a\[0\]: the anchor &p contains itself$/,
    ],
    [
      "an anchor that is not there",
      "{ a: *p }",
      /^my:5:\d+ rules\[0\]\.event\.properties\.a: there is no anchor &p before it$/,
    ],
    [
      "an object as a key",
      "{ { a: 1 }: 2 }",
      /^my:5:\d+ rules\[0\]\.event\.properties: found a list or an object as a key; a text is allowed$/,
    ],
    [
      "a list as a key",
      "{ [a]: 2 }",
      /^my:5:\d+ rules\[0\]\.event\.properties: found a list or an object as a key; a text is allowed$/,
    ],
  ])("refuses %s in one line, with its place", (_what, properties, said) => {
    expect(linesOf(file(properties))).toEqual([expect.stringMatching(said)]);
  });

  it("refuses a second document, and what nests too deeply, in one line", () => {
    expect(linesOf(file("{}", "---\nb: 1\n"))).toEqual(["my:6:1 a second document begins here; one is allowed"]);
    const deep = `a:\n${Array.from({ length: 600 }, (_, level) => `${" ".repeat(level + 1)}a:\n`).join("")}`;
    expect(linesOf(deep)).toEqual([expect.stringMatching(/^my:50\d:\d+ a: nested deeper than 500 levels$/)]);
  });

  it("warns that << merges nothing", () => {
    expect(linesOf(file("{ a: &a { b: 1 }, c: { <<: *a } }"))).toEqual([
      expect.stringMatching(
        /^my:5:\d+ rules\[0\]\.event\.properties\.c\.<<: warning: "<<" is a key like any other here/,
      ),
    ]);
  });
});

describe("a mapping that extends another", () => {
  it("asks whether a rule that is too little was to change another", () => {
    const text =
      'extends: base\nrules:\n  - { name: gruop, when: type = "page", groupIdentify: { groupKey: { "@path": $.a } } }\n  - { name: ret }\n';
    expect(errorsOf(text)).toEqual([
      'my:3:56 rules[0].groupIdentify: "groupType" is missing; no rule "gruop" is there to be changed. Did you mean "group"?',
      expect.stringMatching(
        /^my:4:5 rules\[1\]: .* is missing; no rule "ret" is there to be changed\. Did you mean "rest"\?/,
      ),
      expect.stringMatching(/never reached/),
    ]);
  });

  it("refuses to take the key away", () => {
    const key = (rest: string) =>
      errorsOf(`extends: base\nrules:\n  - { name: group, groupIdentify: { groupKey: null${rest} } }\n`);
    expect(key("")).toEqual([
      "my:3:47 rules[0].groupIdentify.groupKey: found null; without a groupKey nothing comes of it",
    ]);
    expect(key(', aliases: { "@path": $.domain }')).toEqual([]);
  });

  it("refuses to leave no rule", () => {
    expect(
      errorsOf("extends: base\nrules:\n  - { name: group, remove: true }\n  - { name: rest, remove: true }\n"),
    ).toEqual(["my:3:3 rules: no rule is left"]);
  });
});
