/** What a sender can put into a record must neither stop the mapping of it nor take long. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { checkMapping } from "../../../src/core/mapping/compile.ts";
import { placeholdersIn } from "../../../src/core/mapping/directives/placeholders.ts";
import { matchesGlob } from "../../../src/core/mapping/fql/glob.ts";
import type { Mapped } from "../../../src/core/mapping/mapping.ts";
import { MAX_MESSAGE_BYTES } from "../../../src/core/message.ts";
import { compileValue, recordOf } from "./shipped.ts";

const apply = (value: unknown, payload: JsonObject, dialect = "prickle"): Mapped =>
  compileValue(value, dialect).apply(recordOf(payload));

describe.each(["prickle", "segment"])("values nested deeply, in the dialect %s", (dialect) => {
  const decode = { "@json": { mode: "decode", value: { "@path": "$.text" } } };

  it.each([
    ["lists", (levels: number) => "[".repeat(levels) + "]".repeat(levels)],
    ["objects", (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`],
  ])("@json decodes %s of 100 levels, and refuses deeper ones", (_what, nested) => {
    expect(apply(decode, { text: nested(100) }, dialect)).toMatchObject({ drafts: [{ kind: "event" }], problems: [] });
    for (const levels of [101, 400_000])
      expect(apply(decode, { text: nested(levels) }, dialect)).toMatchObject({
        drafts: [],
        problems: [{ reason: "invalid_field", detail: expect.stringContaining("deeper than 100 levels") }],
      });
  });
});

/** Far below what a sender would notice, far above what a busy machine takes. */
const BEARABLE_MS = 1500;

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

function nest(levels: number, key: string): JsonObject {
  let deep: JsonObject = { z: 1 };
  for (let level = 1; level < levels; level++) deep = { [key]: deep, z: 1 };
  return deep;
}

const at = { "@path": "$.a" };
const TOO_LONG = new RegExp(`more than ${MAX_MESSAGE_BYTES} characters; .* are allowed`);

describe("texts and values that grow", () => {
  it.each([
    [
      "a template that is computed",
      "prickle",
      { "@template": at },
      { a: "{{b}}".repeat(20_000), b: "x".repeat(20_000) },
    ],
    [
      "placeholders put in",
      "segment",
      { "@template": "{{{a}}}" },
      { a: "{{b}}".repeat(20_000), b: "x".repeat(20_000) },
    ],
    [
      "what is replaced by more",
      "prickle",
      { "@replace": { value: at, pattern: "a", replacement: "aaaaaaaaaa" } },
      { a: "a".repeat(100_000) },
    ],
    [
      "what is replaced by what stands before it",
      "segment",
      { "@replace": { value: at, pattern: "a", replacement: "$`$`$`$`$`" } },
      { a: "a".repeat(100_000) },
    ],
    [
      "keys that are repeated",
      "prickle",
      { "@flatten": { value: at, separator: "." } },
      { a: { ["k".repeat(100_000)]: Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [index, 1])) } },
    ],
  ])("%s: more than a message has is refused in time", (_what, dialect, value, payload) => {
    let mapped: Mapped | null = null;
    const took = timed(() => {
      mapped = apply(value, payload as unknown as JsonObject, dialect);
    });
    expect(mapped).toMatchObject({
      drafts: [],
      problems: [{ reason: "invalid_field", detail: expect.stringMatching(TOO_LONG) }],
    });
    expect(took).toBeLessThan(BEARABLE_MS);
  });

  it("@flatten takes 100 levels and refuses more", () => {
    const flatten = { "@flatten": { value: at, separator: "." } };
    expect(apply(flatten, { a: nest(100, "k") }).drafts).toHaveLength(1);
    for (const levels of [101, 3000, 100_000])
      expect(apply(flatten, { a: nest(levels, "k".repeat(10)) }).problems).toMatchObject([
        { reason: "invalid_field", detail: expect.stringContaining("deeper than 100 levels") },
      ]);
  });

  it("a path that is computed has at most 1000 characters", () => {
    const computed = { "@path": at };
    expect(apply(computed, { a: `$.${"a".repeat(998)}` }).drafts).toHaveLength(1);
    expect(apply(computed, { a: "$.a['".repeat(200_000) }).problems).toMatchObject([
      { reason: "invalid_field", detail: expect.stringContaining("a path of 1000000 characters; 1000 are allowed") },
    ]);
  });
});

describe("placeholders", () => {
  const marks = [
    ["{{", "}}", /\{\{([^}]+)\}\}/],
    ["{{{", "}}}", /\{\{\{([^}]+)\}\}\}/],
  ] as const;

  it.each(marks)("between %s and %s are found where the pattern finds them", (open, close, pattern) => {
    const text = fc.string({ unit: fc.constantFrom("{", "{{", "{{{", "}", "}}", "}}}", "a", " "), maxLength: 12 });
    fc.assert(
      fc.property(text, (one) => void expect(placeholdersIn(one, open, close)).toEqual(one.split(pattern))),
      { numRuns: 2000 },
    );
  });

  it.each(["prickle", "segment"])("in a text full of braces take no time, in the dialect %s", (dialect) => {
    for (const text of [
      "{{".repeat(200_000),
      "{{{".repeat(100_000),
      "{{a".repeat(100_000),
      `${"{{{".repeat(100_000)}}`,
    ]) {
      expect(timed(() => apply({ "@template": at }, { a: text }, dialect))).toBeLessThan(BEARABLE_MS);
      expect(timed(() => apply({ "@template": "{{{a}}}" }, { a: text }, dialect))).toBeLessThan(BEARABLE_MS);
    }
  });
});

describe("match()", () => {
  /** The same, as a regular expression has it. */
  function expected(text: string, glob: string): boolean {
    const source = [...glob.matchAll(/\\(.)|\[([^\]]+)\]|(.)/gsu)].map(([, escaped, set, plain = ""]) => {
      if (set !== undefined) return `[${set.replace(/[\\^]/g, "\\$&")}]`;
      if (plain === "*") return ".*";
      return escaped === undefined && plain === "?" ? "." : (escaped ?? plain).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    });
    return new RegExp(`^${source.join("")}$`, "su").test(text);
  }

  it("is true where the pattern fits the whole text", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "?", "*", "[", "]", "😀"), maxLength: 8 });
    const glob = fc.string({
      unit: fc.constantFrom("a", "b", "?", "*", "*", "[ab]", "[a-c]", "\\*", "\\?", "😀", "]"),
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, glob, (one, pattern) => void expect(matchesGlob(one, pattern)).toBe(expected(one, pattern))),
      { numRuns: 5000 },
    );
    for (const length of [31, 32, 33, 63, 64, 65, 900]) {
      expect(matchesGlob("a".repeat(length), "a".repeat(length))).toBe(true);
      expect(matchesGlob("a".repeat(length), `*${"?".repeat(length)}`)).toBe(true);
      expect(matchesGlob("a".repeat(length - 1), `*${"a".repeat(length)}`)).toBe(false);
      expect(matchesGlob(`${"a".repeat(1000)}b`, `*${"a".repeat(length)}b`)).toBe(true);
    }
  });

  it("takes no time whatever the pattern, and no pattern of more than 1000 characters", () => {
    const text = `${"a".repeat(800_000)}b`;
    const many = Array.from({ length: 100_000 }, (_, index) => String.fromCodePoint(0x4e00 + (index % 20_000))).join(
      "",
    );
    for (const [one, glob] of [
      [text, `*${"a".repeat(990)}c`],
      [text, "*a".repeat(499)],
      [many, `*${"[0-9]".repeat(190)}`],
    ] as const)
      expect(timed(() => expect(matchesGlob(one, glob)).toBe(false))).toBeLessThan(BEARABLE_MS);
    expect(matchesGlob("a".repeat(1001), "a".repeat(1001))).toBe(false);
    const rule = { name: "r", when: `match(event, "${"a".repeat(1001)}")`, reject: { reason: "no_rule", detail: "x" } };
    const problems = checkMapping({
      name: "m",
      file: "m.yaml",
      text: JSON.stringify({ groupTypes: ["a"], rules: [rule] }),
    });
    expect(problems.map(({ message }) => message).join("\n")).toMatch(
      /found a pattern of 1001 characters; 1000 are allowed \(character 14\)/,
    );
  });
});
