import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runExamples } from "../../../src/core/mapping/examples.ts";
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
        expected: { messages: [], problems: ["no_rule"] },
        actual: { messages: [{ event: "$create_alias", distinctId: "u", properties: { alias: "a" } }], problems: [] },
      },
    ]);
  });

  it("refuses a file that holds no examples", () => {
    expect(() => run("examples: []\n")).toThrow(expect.objectContaining({ code: "MAPPING_INVALID" }));
    expect(() => run("examples: [\n")).toThrow(expect.objectContaining({ code: "MAPPING_INVALID" }));
  });
});
