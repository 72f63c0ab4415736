/** The file of examples beside a mapping: inputs, what is expected of them, and what they need to be known. */

import * as z from "zod";
import { PrickleError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { parseSafely } from "../safe-parsing.ts";
import { mappingProblemLine, readMappingText } from "./mapping-text.ts";

export interface ExamplesText {
  readonly text: string;
  /** As problems shall name it. */
  readonly file: string;
}

const json = z.json() as z.ZodType<JsonValue>;
const bag: z.ZodType<JsonObject> = z.record(z.string(), json);
const groups = z
  .array(
    z
      .strictObject({ type: z.string().min(1), key: z.string().min(1), properties: bag.default({}) })
      .transform(({ type, key, properties }) => ({ groupType: type, groupKey: key, properties })),
  )
  .default([]);

const examplesSchema = z.strictObject({
  /** Variables that the mapping reads, such as the key of a hash: never real ones. */
  environment: z.record(z.string(), z.string()).default({}),
  /** Known when every example runs. */
  groups,
  examples: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        /** Known beside those of the file. */
        groups,
        input: bag,
        messages: z.array(bag).default([]),
        /** What is said of people. */
        statements: z.array(bag).default([]),
        problems: z.array(z.string()).default([]),
      }),
    )
    .min(1),
});

export interface ExamplesFile extends z.output<typeof examplesSchema> {
  /** Where an example begins, from 1. */
  lineOf(index: number): number;
}

/** @throws MAPPING_INVALID if the text is not a file of examples. */
export function readExamples({ text, file }: ExamplesText): ExamplesFile {
  const read = readMappingText(text, file);
  if ("problems" in read) throw invalid(file, read.problems.map(mappingProblemLine).join("\n"));
  const wrong = read.place(read.found).filter(({ severity }) => severity === "error");
  if (wrong.length > 0) throw invalid(file, wrong.map(mappingProblemLine).join("\n"));
  const parsed = parseSafely(examplesSchema, read.content);
  if (!parsed.success) throw invalid(file, z.prettifyError({ issues: parsed.issues }));
  const lineOf = (index: number) => {
    const [place] = read.place([{ at: ["examples", index], severity: "error", message: "" }]);
    return place?.line ?? 1;
  };
  return { ...parsed.data, lineOf };
}

function invalid(file: string, message: string): PrickleError {
  return new PrickleError("MAPPING_INVALID", `${file}: ${message}`, {
    hint: "Each example has a name, an input, and the messages and problems expected of it.",
  });
}
