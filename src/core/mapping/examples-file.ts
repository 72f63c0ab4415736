/** The file of examples beside a mapping: inputs, what is expected of them, and what they need to be known. */

import * as z from "zod";
import { PrickleError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { parseSafely } from "../safe-parsing.ts";
import { expectationProblems } from "./examples-checks.ts";
import { mappingProblemLine, readMappingText } from "./mapping-text.ts";
import { type At, placeIssues } from "./placed-issues.ts";
import type { PlacedProblem } from "./scope.ts";

export interface ExamplesText {
  readonly text: string;
  /** As problems shall name it. */
  readonly file: string;
}

const json = z.json() as z.ZodType<JsonValue>;
const bag: z.ZodType<JsonObject> = z.record(z.string(), json);
const group = z.strictObject({ type: z.string().min(1), key: z.string().min(1), properties: bag.default({}) });
const groups = z
  .array(group.transform(({ type, key, properties }) => ({ groupType: type, groupKey: key, properties })))
  .default([]);
const example = z.strictObject({
  name: z.string().min(1),
  /** Known beside those of the file. */
  groups,
  input: bag,
  messages: z.array(bag).default([]),
  /** What is said of people. */
  statements: z.array(bag).default([]),
  problems: z.array(z.string()).default([]),
});
const examplesSchema = z.strictObject({
  /** Variables that the mapping reads, such as the key of a hash: never real ones. */
  environment: z.record(z.string(), z.string()).default({}),
  /** Known when every example runs. */
  groups,
  examples: z.array(example).min(1),
});

export interface ExamplesFile extends z.output<typeof examplesSchema> {
  /** Where an example begins, from 1. */
  lineOf(index: number): number;
}

/** @throws MAPPING_INVALID with every problem, one a line, if the text is not a file of examples. */
export function readExamples({ text, file }: ExamplesText): ExamplesFile {
  const read = readMappingText(text, file);
  if ("problems" in read) throw invalid(file, read.problems.map(mappingProblemLine));
  const { content, found, place } = read;
  const problems: PlacedProblem[] = found.filter(({ severity }) => severity === "error");
  const parsed = parseSafely(examplesSchema, content);
  if (!parsed.success) problems.push(...placeIssues(parsed.issues, content, keysAt));
  problems.push(...expectationProblems(content));
  if (!parsed.success || problems.length > 0) throw invalid(file, place(problems).map(mappingProblemLine));
  const lineOf = (index: number) => {
    const [at] = place([{ at: ["examples", index], severity: "error", message: "" }]);
    return at?.line ?? 1;
  };
  return { ...parsed.data, lineOf };
}

/** What may stand at a place of the file's own form. */
function keysAt(at: At): readonly string[] {
  if (at.length === 0) return Object.keys(examplesSchema.shape);
  return Object.keys(at.at(-2) === "groups" ? group.shape : example.shape);
}

function invalid(file: string, lines: readonly string[]): PrickleError {
  return new PrickleError("MAPPING_INVALID", `The examples ${file} are wrong:\n${lines.join("\n")}`, {
    hint: "Each example has a name, an input, and the messages and problems expected of it.",
  });
}
