/** Runs the examples beside a mapping: an input, and the messages and problems expected of it. */

import * as z from "zod";
import { PrickleError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { SourceRecord } from "../record.ts";
import type { Mapping } from "./mapping.ts";
import { mappingProblemLine, readMappingText } from "./mapping-text.ts";
import { outcomeOf } from "./outcome.ts";

export interface ExampleResult {
  readonly name: string;
  /** Where the example begins in its file, from 1. */
  readonly line: number;
  readonly passed: boolean;
  /** As plain JSON in the form of the file, so that the two can be compared or written back. */
  readonly expected: JsonObject;
  readonly actual: JsonObject;
}

const json = z.json() as z.ZodType<JsonValue>;
const examplesSchema = z.strictObject({
  examples: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        input: z.record(z.string(), json),
        messages: z.array(z.record(z.string(), json)).default([]),
        problems: z.array(z.string()).default([]),
      }),
    )
    .min(1),
});

/**
 * Runs every example of an `*.examples.yaml`. `expected` and `actual` are `{messages, problems}`; problems are reasons.
 * @throws MAPPING_INVALID if the text is not a file of examples.
 */
export function runExamples(
  mapping: Mapping,
  { text, file }: { readonly text: string; readonly file: string },
): readonly ExampleResult[] {
  const read = readMappingText(text, file);
  if ("problems" in read) throw invalid(file, read.problems.map(mappingProblemLine).join("\n"));
  const parsed = examplesSchema.safeParse(read.content);
  if (!parsed.success) throw invalid(file, z.prettifyError(parsed.error));
  return parsed.data.examples.map(({ name, input, messages, problems }, index) => {
    const [place] = read.place([{ at: ["examples", index], severity: "error", message: "" }]);
    const expected: JsonObject = { messages, problems };
    const actual = outcomeOf(mapping.apply(recordOf(name, input)));
    return {
      name,
      line: place?.line ?? 1,
      passed: canonical(expected) === canonical(actual),
      expected,
      actual,
    };
  });
}

function invalid(file: string, message: string): PrickleError {
  return new PrickleError("MAPPING_INVALID", `${file}: ${message}`, {
    hint: "Each example has a name, an input, and the messages and problems expected of it.",
  });
}

function recordOf(id: string, payload: JsonObject): SourceRecord {
  return { source: "example", id, occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
}

/** JSON text with the keys in order: what an object says does not depend on the order it says it in. */
function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
