import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { JsonObject } from "../../../src/core/json.ts";
import { applyTo, compileValue } from "./shipped.ts";

interface Vector {
  readonly what: string;
  readonly value: unknown;
  readonly gives?: unknown;
  readonly fails?: boolean;
}

const { input, vectors } = parse(readFileSync(new URL("segment-vectors.yaml", import.meta.url), "utf8")) as {
  readonly input: JsonObject;
  readonly vectors: readonly Vector[];
};

/** What prickle's `dialect: segment` makes of it: refused when it is loaded or when it runs is one thing here. */
function outcomeOf(value: unknown): { readonly fails: boolean; readonly gives?: unknown } {
  try {
    const { drafts, problems } = applyTo(compileValue(value, "segment"), input);
    return problems.length > 0 ? { fails: true } : { fails: false, gives: drafts[0]?.properties.value };
  } catch {
    return { fails: true };
  }
}

describe("dialect: segment", () => {
  it.each(vectors.map((vector) => [vector.what, vector] as const))("%s", (_what, { value, gives, fails = false }) => {
    expect(outcomeOf(value)).toEqual(fails ? { fails } : { fails, gives });
  });
});
