import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runExamples } from "../../../src/core/mapping/examples.ts";
import { rewriteExamples } from "../../../src/core/mapping/examples-rewriting.ts";
import { readMappingFile, shippedMapping } from "./shipped.ts";

const ENDING = ".examples.yaml";
const files = readdirSync(new URL("../../../mappings/", import.meta.url)).filter((file) => file.endsWith(ENDING));

describe("rewriteExamples", () => {
  const mapping = shippedMapping("segment");
  const file = "mine.examples.yaml";
  const rewritten = (text: string) => {
    const result = rewriteExamples(mapping, { text, file });
    return "text" in result ? result.text : `refused: ${result.refused}`;
  };

  it.each(files)("leaves %s as it is, to the character", (name) => {
    const text = readMappingFile(name);
    const own = shippedMapping(name.slice(0, -ENDING.length));
    expect(rewriteExamples(own, { text, file: name })).toEqual({ text });
  });

  it("puts in what really came, and keeps comments, order and what is right", () => {
    const text = `# mine
examples:
  # about groups
  - name: a group # of companies
    input: { type: group, userId: u, groupId: acme, traits: { name: Acme } } # as sent
    messages:
      # the company
      - { groupType: company, groupKey: wrong } # was wrong
    # after it

  - input: { type: track }
    messages: [{ event: x }]
    name: an event of nobody

  - { name: on one line, input: { type: group, groupId: a } }

  - name: nothing expected
    problems: [no_rule, no_rule]
    input: { type: alias, userId: u, previousId: a }
`;
    const wanted = `# mine
examples:
  # about groups
  - name: a group # of companies
    input: { type: group, userId: u, groupId: acme, traits: { name: Acme } } # as sent
    statements:
      - { member: [u], groupType: company, joins: acme }
    messages:
      # the company
      - { groupType: company, groupKey: acme, properties: { name: Acme } } # was wrong
    # after it

  - input: { type: track }
    name: an event of nobody
    problems: [missing_event]

  - name: on one line
    input: { type: group, groupId: a }
    messages:
      - { groupType: company, groupKey: a }

  - name: nothing expected
    input: { type: alias, userId: u, previousId: a }
    messages:
      - { event: $create_alias, distinctId: u, properties: { alias: a } }
    statements:
      - { id: u, earlierId: a }
`;
    expect(rewritten(text)).toBe(wanted);
    expect(rewritten(wanted)).toBe(wanted);
  });

  it("writes what is long key by key, and every text so that YAML reads it back", () => {
    const traits = {
      a: "yes",
      b: "1",
      c: "x: y",
      d: "- z",
      e: "# no",
      f: "ü\n",
      "g h": null,
      long: "word ".repeat(40),
      n: [1, true],
    };
    const text = `examples:\n  - name: long\n    input: ${JSON.stringify({ type: "group", groupId: "a", traits })}\n`;
    const after = rewritten(text);
    expect(runExamples(mapping, { text: after, file })).toEqual([expect.objectContaining({ passed: true })]);
    expect(
      Math.max(
        ...after
          .split("\n")
          .slice(3)
          .map((line) => line.length),
      ),
    ).toBeLessThan(240);
  });

  it("puts messages where only a problem was expected, though it is taken out of the same place", () => {
    const text = `examples:
  - name: a group
    input: { type: group, groupId: acme }
    problems: [no_rule]
  - problems: [no_rule]
    name: its problem first
    input: { type: group, groupId: acme }
`;
    expect(rewritten(text)).toBe(`examples:
  - name: a group
    input: { type: group, groupId: acme }
    messages:
      - { groupType: company, groupKey: acme }
  - name: its problem first
    input: { type: group, groupId: acme }
    messages:
      - { groupType: company, groupKey: acme }
`);
  });

  it("writes in brackets what stands in brackets, and JSON in a file of JSON", () => {
    const flow = "examples: [{ name: a, input: { type: group, groupId: acme } }, # one\n  { name: b, input: {} }]\n";
    expect(rewritten(flow)).toBe(
      "examples: [{ name: a, input: { type: group, groupId: acme }, messages: [{ groupType: company, groupKey: acme }] }, # one\n" +
        "  { name: b, input: {}, problems: [unsupported_type] }]\n",
    );
    const examples = [
      { name: "a", input: { type: "group", groupId: "acme" }, messages: [{ groupType: "company", groupKey: "acme" }] },
      { name: "b", input: {}, problems: ["unsupported_type"] },
    ];
    const given = { examples: examples.map(({ name, input }) => ({ name, input })) };
    for (const indent of [0, 2]) {
      expect(rewritten(JSON.stringify(given, null, indent))).toBe(JSON.stringify({ examples }, null, indent));
    }
  });

  it("keeps the line ends of the file", () => {
    const text =
      "examples:\n  - name: a # one\n    problems: [no_rule]\n    input: { type: group, groupId: acme } # sent\n";
    const crlf = rewritten(text.replaceAll("\n", "\r\n"));
    expect(crlf).toBe(rewritten(text).replaceAll("\n", "\r\n"));
    expect(crlf).toContain("groupKey: acme");
  });

  it.each([
    [
      "a list that another example reads too",
      "examples:\n  - { name: a, input: { type: alias }, problems: &p [unsupported_type] }\n  - { name: b, input: {}, problems: *p }\n",
      /^refused: what comes of it could not be read/,
    ],
    [
      "a comment within a list that is written anew",
      "examples:\n  - name: a\n    input: {}\n    problems:\n      - no_rule # this\n      - no_rule # and that\n",
      /^refused: the comment "# this" would be lost/,
    ],
    [
      "a comment within an example in braces",
      "examples:\n  - { name: a, # why\n      input: {} }\n",
      /^refused: the comment "# why" would be lost/,
    ],
  ])("refuses rather than lose %s", (_what, text, said) => {
    expect(rewritten(text)).toMatch(said);
  });

  it("keeps a text that looks like a comment", () => {
    const text = 'examples:\n  - name: "# a"\n    input: { t: "# b", u: a#c }\n    # d\n';
    expect(rewritten(text)).toBe(text.replace("    # d", "    problems: [unsupported_type]\n    # d"));
  });
});
