import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { listedGroups, NO_KNOWN_GROUPS } from "../../src/core/known-groups.ts";
import { checkMapping, compileMapping } from "../../src/core/mapping/compile.ts";
import { NO_ENVIRONMENT } from "../../src/core/mapping/environment.ts";
import { runExamples } from "../../src/core/mapping/examples.ts";
import type { Mapping } from "../../src/core/mapping/mapping.ts";
import { mappingProblemLine } from "../../src/core/mapping/mapping-text.ts";
import { outcomeOf } from "../../src/core/mapping/outcome.ts";
import { compileValue, recordOf, shippedMapping, shippedSource } from "../core/mapping/shipped.ts";

const FILE = "mapping.md";
const text = readFileSync(new URL(`../../docs/${FILE}`, import.meta.url), "utf8");

interface Block {
  /** The word after the language: what it is to the examples. */
  readonly kind: string;
  readonly line: number;
  readonly body: string;
}

/** Every fenced block, in the order of the page. */
function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w+) (.+)\n([\s\S]*?)^```$/gm)].map(({ 2: kind = "", 3: body = "", index }) => ({
    kind,
    body,
    line: page.slice(0, index).split("\n").length,
  }));
}

const SECRETS: Readonly<Record<string, string>> = { HASH_KEY: "not a real one" };

/** What a page has said so far: an example reads the last of each. */
interface Said {
  mapping: Block | null;
  value: Block | null;
  input: JsonObject;
  groups: Parameters<typeof listedGroups>[0];
}

function sourceOf({ body }: Block) {
  const file = blocks.find(({ kind }) => kind.startsWith("file "));
  const readFile = (path: string) =>
    file?.kind === `file ${path}` ? { text: file.body } : { absent: `found no file ${path}` };
  const environment = {
    ...NO_ENVIRONMENT,
    readFile,
    secret: (name: string) => SECRETS[name] ?? null,
    preset: shippedSource,
  };
  return { name: "page", file: FILE, text: body, environment };
}

function outcome(mapping: Mapping, { input, groups }: Said): JsonObject {
  const mapped = mapping.apply(recordOf(input), groups.length > 0 ? listedGroups(groups) : NO_KNOWN_GROUPS);
  return Object.fromEntries(Object.entries(outcomeOf(mapped)).filter(([, list]) => (list as JsonValue[]).length > 0));
}

const blocks = blocksOf(text);

describe(`docs/${FILE}`, () => {
  const said: Said = { mapping: null, value: null, input: {}, groups: [] };
  const kinds = new Set(["mapping", "value", "input", "groups", "result", "conditions", "examples", "problems"]);

  it("has no block that is not run", () => {
    expect(blocks.filter(({ kind }) => !kinds.has(kind) && !kind.startsWith("file "))).toEqual([]);
    expect(text.match(/^```/gm)).toHaveLength(blocks.length * 2);
  });

  for (const block of blocks) {
    if (block.kind === "mapping") Object.assign(said, { mapping: block, value: null, groups: [] });
    if (block.kind === "value") said.value = block;
    if (block.kind === "input") said.input = JSON.parse(block.body);
    if (block.kind === "groups")
      said.groups = (parse(block.body) as { type: string; key: string; properties: JsonObject }[]).map((group) => ({
        ...{ groupType: group.type, groupKey: group.key, properties: group.properties },
      }));
    const now = { ...said };
    if (block.kind === "result" && now.value) {
      const value = now.value;
      it(`gives what line ${block.line} says`, () => {
        const { drafts } = compileValue(parse(value.body)).apply(recordOf(now.input));
        expect(drafts[0]?.properties.value).toEqual(parse(block.body));
      });
    } else if (block.kind === "result" && now.mapping) {
      const mapping = now.mapping;
      it(`makes what line ${block.line} says`, () => {
        expect(outcome(compileMapping(sourceOf(mapping)), now)).toEqual(parse(block.body));
      });
    } else if (block.kind === "problems" && now.mapping) {
      const source = sourceOf(now.mapping);
      it(`finds what line ${block.line} says`, () => {
        const shortened = (line: string) =>
          line.slice(FILE.length + 1).replace(/(unknown directive; ).* are allowed\./, "$1…");
        expect(checkMapping(source).map(mappingProblemLine).map(shortened)).toEqual(block.body.trim().split("\n"));
      });
    } else if (block.kind === "examples") {
      it(`runs the examples of line ${block.line}`, () => {
        const results = runExamples(shippedMapping("segment"), { text: block.body, file: FILE });
        expect(results.filter(({ passed }) => !passed)).toEqual([]);
      });
    } else if (block.kind === "conditions") {
      const { call, ...conditions } = parse(block.body) as { call: JsonObject } & Record<string, string[]>;
      for (const [holds, list] of Object.entries(conditions))
        it.each(list ?? [])(`${holds}: %s`, (when) => expect(holdsFor(when, call)).toBe(holds === "true"));
    }
  }
});

function holdsFor(when: string, call: JsonObject, dialect = "prickle"): boolean {
  const reject = { reason: "no_rule", detail: "x" };
  const rules = [
    { name: "when", when, reject },
    { name: "else", reject },
  ];
  const mapping = compileMapping({
    name: "w",
    file: "w.yaml",
    text: JSON.stringify({ dialect, groupTypes: ["a"], rules }),
  });
  return mapping.apply(recordOf(call)).rule === "when";
}

/** The rows of the table whose head begins with these cells; pipes inside are written `\|`. */
function tableOf(...head: readonly string[]): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head.join(" | ")}`));
  const length = lines.slice(start).findIndex((line) => !line.startsWith("|"));
  return lines.slice(start + 2, start + length).map((line) =>
    line
      .slice(2, -2)
      .split(/(?<!\\) \| /)
      .map((cell) => cell.replaceAll("\\|", "|")),
  );
}

/** `code` is YAML; nothing and refused are what they say. */
function cellOf(cell: string): unknown {
  if (cell === "nothing" || cell === "refused") return cell;
  return parse(/^`(.*)`$/.exec(cell)?.[1] ?? "");
}

function given(value: unknown, record: JsonObject, dialect: string): unknown {
  try {
    const { drafts, problems } = compileValue(value, dialect).apply(recordOf(record));
    if (problems.length > 0) return "refused";
    const found = drafts[0]?.properties.value;
    return found === undefined ? "nothing" : found;
  } catch {
    return "refused";
  }
}

/** As JSON.parse makes it: a key `__proto__` is a key. */
function recordIn(cell: string): JsonObject {
  return JSON.parse(JSON.stringify(cellOf(cell)));
}

describe("where prickle differs from Segment", () => {
  const values = tableOf("what", "value", "record", "Segment", "prickle |");

  it.each(values)("%s: %s", (_what, value = "", record = "", segment = "", prickle = "") => {
    expect({ segment: given(cellOf(value), recordIn(record), "segment") }).toEqual({ segment: cellOf(segment) });
    expect({ prickle: given(cellOf(value), recordIn(record), "prickle") }).toEqual({ prickle: cellOf(prickle) });
    expect(segment).not.toBe(prickle);
  });

  const unlike = tableOf("what", "value", "record", "Segment", "prickle, both dialects");
  it.each(unlike)("in both dialects, %s: %s", (_what, value = "", record = "", _segment = "", prickle = "") => {
    for (const dialect of ["segment", "prickle"]) {
      expect(JSON.stringify(given(cellOf(value), recordIn(record), dialect))).toBe(JSON.stringify(cellOf(prickle)));
    }
  });

  const conditions = tableOf("condition", "call", "Segment", "prickle");
  it.each(conditions)("%s for %s", (condition = "", call = "", segment = "", prickle = "") => {
    const when = condition.slice(1, -1);
    for (const dialect of ["segment", "prickle"])
      expect(holdsFor(when, cellOf(call) as JsonObject, dialect)).toBe(prickle === "true");
    const rules = [{ name: "w", when, reject: { reason: "no_rule", detail: "x" } }];
    const problems = checkMapping({ name: "w", file: "w.yaml", text: JSON.stringify({ groupTypes: ["a"], rules }) });
    expect(problems.filter(({ path }) => path === "rules[0].when").map(({ message }) => message)).toEqual([
      expect.stringContaining("Segment"),
    ]);
    expect(segment).toMatch(prickle === "true" ? /^(false|never)/ : /^true/);
  });

  it("has all three tables", () => expect([values.length, unlike.length, conditions.length]).toEqual([35, 4, 18]));
});
