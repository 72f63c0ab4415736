/** Runs the examples beside a mapping: an input, and the messages and problems expected of it. */

import type { JsonObject, JsonValue } from "../json.ts";
import { listedGroups } from "../known-groups.ts";
import type { SourceRecord } from "../record.ts";
import { type MappingSource, NO_ENVIRONMENT } from "./environment.ts";
import { type ExamplesText, readExamples } from "./examples-file.ts";
import type { Mapping } from "./mapping.ts";
import { outcomeOf } from "./outcome.ts";

export interface ExampleResult {
  readonly name: string;
  /** Where the example begins in its file, from 1. */
  readonly line: number;
  readonly passed: boolean;
  /** Name of the rule that matched; null when none did. */
  readonly rule: string | null;
  /** As plain JSON in the form of the file, so that the two can be compared or written back. */
  readonly expected: JsonObject;
  readonly actual: JsonObject;
}

/**
 * Runs every example of an `*.examples.yaml`. `expected` and `actual` are as `outcomeOf` gives them.
 * A mapping that reads the environment is compiled from `withExamplesEnvironment` before.
 * @throws MAPPING_INVALID if the text is not a file of examples.
 */
export function runExamples(mapping: Mapping, source: ExamplesText): readonly ExampleResult[] {
  const { examples, groups, lineOf } = readExamples(source);
  return examples.map(({ name, input, messages, statements, problems, groups: more }, index) => {
    const expected: JsonObject = { messages, ...(statements.length > 0 ? { statements } : {}), problems };
    const mapped = mapping.apply(recordOf(name, input), listedGroups([...groups, ...more]));
    const actual = outcomeOf(mapped);
    const passed = canonical(expected) === canonical(actual);
    return { name, line: lineOf(index), passed, rule: mapped.rule, expected, actual };
  });
}

/**
 * The mapping as its examples see it: variables that their file states are set, whatever the real environment says.
 * @throws MAPPING_INVALID if the text is not a file of examples.
 */
export function withExamplesEnvironment(source: MappingSource, examples: ExamplesText): MappingSource {
  const stated = new Map(Object.entries(readExamples(examples).environment));
  const around = source.environment ?? NO_ENVIRONMENT;
  return { ...source, environment: { ...around, secret: (name) => stated.get(name) ?? around.secret(name) } };
}

/** JSON text with the keys in order: what an object says does not depend on the order it says it in. */
export function canonical(value: JsonValue): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function recordOf(id: string, payload: JsonObject): SourceRecord {
  return { source: "example", id, occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
}
