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
