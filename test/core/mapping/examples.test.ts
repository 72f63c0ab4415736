import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compileMapping } from "../../../src/core/mapping/compile.ts";
import { runExamples, withExamplesEnvironment } from "../../../src/core/mapping/examples.ts";
import { readMappingFile, shippedMapping } from "./shipped.ts";

const ENDING = ".examples.yaml";
const files = readdirSync(new URL("../../../mappings/", import.meta.url)).filter((file) => file.endsWith(ENDING));

it("finds examples of the shipped mappings", () => expect(files).toContain(`segment${ENDING}`));

describe.each(files)("%s", (file) => {
  const mapping = shippedMapping(file.slice(0, -ENDING.length));
  const results = runExamples(mapping, { text: readMappingFile(file), file });
  it.each(results.map((result) => [result.name, result] as const))("%s", (_name, { actual, expected }) => {
    expect(actual).toEqual(expected);
  });
  it("agrees that all of them pass", () => expect(results.filter(({ passed }) => !passed)).toEqual([]));
});

describe("runExamples", () => {
  const run = (text: string) => runExamples(shippedMapping("segment"), { text, file: "mine.examples.yaml" });

  it("says what came instead, and on which line the example stands", () => {
    const text =
      "examples:\n  - name: wrong\n    input: { type: alias, userId: u, previousId: a }\n    problems: [no_rule]\n";
    expect(run(text)).toEqual([
      {
        name: "wrong",
        line: 2,
        passed: false,
        rule: "alias",
        expected: { messages: [], problems: ["no_rule"] },
        actual: {
          messages: [{ event: "$create_alias", distinctId: "u", properties: { alias: "a" } }],
          statements: [{ id: "u", earlierId: "a" }],
          problems: [],
        },
      },
    ]);
  });

  it("refuses a file that holds no examples", () => {
    expect(() => run("examples: []\n")).toThrow(expect.objectContaining({ code: "MAPPING_INVALID" }));
    expect(() => run("examples: [\n")).toThrow(expect.objectContaining({ code: "MAPPING_INVALID" }));
  });

  it("says every problem of the file in the words of mappings, each with its place", () => {
    const text = `enviroment: { A: b }
groups: [{ typ: company, type: company, key: "" }]
examples:
  - name: a
    inpt: {}
    input: { type: track, type: page }
    messages:
      - { evnt: Seen, distinctId: u, properties: { any: thing } }
      - { groupType: company, group_key: acme }
    statements: [{ member: [u], groupTyp: company, joins: acme }, { id: u, earlier: a }]
    problems: [no_rul]
  - name: a
    input: none
`;
    const said = () => {
      try {
        run(text);
        return "";
      } catch (thrown) {
        return thrown instanceof Error ? thrown.message : "";
      }
    };
    const wanted = [
      /^The examples mine\.examples\.yaml are wrong:$/,
      /:1:13 enviroment: unknown key; environment, groups, examples are allowed\. Did you mean "environment"\?$/,
      /:2:17 groups\[0\]\.typ: unknown key; type, key, properties are allowed\. Did you mean "type"\?$/,
      /:2:46 groups\[0\]\.key: found ""; at least one character is needed\.$/,
      /:5:11 examples\[0\]\.inpt: unknown key; name, .* Did you mean "input"\?$/,
      /:6:27 examples\[0\]\.input\.type: "type" is written twice$/,
      /:8:17 examples\[0\]\.messages\[0\]\.evnt: unknown key; event, .* Did you mean "event"\?$/,
      /:9:42 examples\[0\]\.messages\[1\]\.group_key: unknown key; groupType, .* Did you mean "groupKey"\?$/,
      /:10:43 examples\[0\]\.statements\[0\]\.groupTyp: unknown key; member, .* Did you mean "groupType"\?$/,
      /:10:85 examples\[0\]\.statements\[1\]\.earlier: unknown key; id, earlierId are allowed\. Did you mean "earlierId"\?$/,
      /:11:16 examples\[0\]\.problems\[0\]: found "no_rul"; not_a_call, .* Did you mean "no_rule"\?$/,
      /:12:11 examples\[1\]\.name: an example "a" is written before$/,
      /:13:12 examples\[1\]\.input: found "none"; an object is needed\.$/,
    ];
    expect(said().split("\n")).toEqual(wanted.map((line) => expect.stringMatching(line)));
  });
});

const KNOWING = JSON.stringify({
  groupTypes: ["company"],
  rules: [
    {
      name: "deal",
      groupIdentify: {
        groupType: "company",
        groupKey: { "@group": { type: "company", where: { crm_id: { "@path": "$.company" } } } },
        properties: { contact: { "@hash": { value: { "@path": "$.email" }, key: "$" + "{HASH_KEY}" } } },
      },
    },
  ],
});
const KNOWING_EXAMPLES = `environment: { HASH_KEY: not a real one }
groups:
  - { type: company, key: acme, properties: { crm_id: "17" } }
examples:
  - name: a company known by its id in the CRM
    input: { company: "17" }
    messages:
      - { groupType: company, groupKey: acme }
  - name: one known in this example only
    groups: [{ type: company, key: initech, properties: { crm_id: "18" } }]
    input: { company: "18", email: ada@acme.com }
    messages:
      - groupType: company
        groupKey: initech
        properties: { contact: 8a2e6f4d }
  - name: an unknown one
    input: { company: "18" }
    problems: [missing_group_id]
`;

describe("examples of a mapping that reads more than its record", () => {
  const examples = { text: KNOWING_EXAMPLES, file: "deal.examples.yaml" };
  const source = withExamplesEnvironment({ name: "deal", file: "deal.yaml", text: KNOWING }, examples);

  it("state the groups that are known and the environment", () => {
    const results = runExamples(compileMapping(source), examples);
    expect(results.map(({ passed, rule }) => ({ passed, rule }))).toEqual([
      { passed: true, rule: "deal" },
      { passed: false, rule: "deal" },
      { passed: true, rule: "deal" },
    ]);
    expect(results[1]?.actual).toMatchObject({
      messages: [{ groupKey: "initech", properties: { contact: expect.stringMatching(/^[0-9a-f]{64}$/) } }],
    });
  });
});
