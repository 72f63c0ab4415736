// biome-ignore-all lint/suspicious/noThenProperty: that is how @if is written
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { valueMapping } from "./shipped.ts";

const RECORD: JsonObject = {
  a: { b: [{ id: 1 }, { id: 2 }], "x.y": 5, x: { y: 6 } },
  zero: 0,
  no: false,
  empty: "",
  none: null,
  text: "Acme Inc",
  owners: { name: "Ada" },
};
const at = (path: string) => ({ "@path": path });

/** The value, what it gives, and what Segment gives where that is different. */
const VALUES: readonly (readonly [
  what: string,
  value: unknown,
  gives: unknown,
  segmentGives?: { readonly is: unknown },
])[] = [
  ["a path", at("$.a.b[0].id"), 1],
  ["a path with a dotted index and no $", at("a.b.1.id"), 2],
  ["a quoted key", at("$.a['b']"), [{ id: 1 }, { id: 2 }]],
  ["a quoted key with a dot", at("$.a['x.y']"), 5, { is: 6 }],
  ["a negative index", at("$.a.b[-1]"), undefined],
  ["the length of a text", at("$.text.length"), 8],
  ["the whole record", { "@transform": { apply: { r: at("$.") }, mapping: at("$.r.text") } }, "Acme Inc"],
  ["a path through zero", at("$.zero.b"), undefined, { is: 0 }],
  ["a path through null", at("$.none.b"), undefined, { is: null }],
  ["a path that is computed", { "@path": { "@template": "a.x.y" } }, 6],
  ["an object with something missing", { one: 1, gone: at("$.nowhere"), none: at("$.none") }, { one: 1, none: null }],
  ["a list with something missing", [at("$.nowhere"), 1], [null, 1]],
  ["metadata", { "@path": "$.text", _metadata: { label: "x" } }, "Acme Inc"],
  ["a template", { "@template": "{{text}}, {{{ zero }}}{{no}}{{none}}{{nowhere}}" }, "Acme Inc, 0false"],
  ["an object in a template", { "@template": "{{owners}}" }, '{"name":"Ada"}', { is: "[object Object]" }],
  ["a $. in a template", { "@template": "{{$.text}}" }, "Acme Inc", { is: "" }],
  ["@if exists, on an empty text", { "@if": { exists: at("$.empty"), then: 1, else: 2 } }, 1],
  ["@if exists, on null", { "@if": { exists: at("$.none"), then: 1, else: 2 } }, 2],
  ["@if blank, on an empty text", { "@if": { blank: at("$.empty"), then: 1, else: 2 } }, 2],
  ["@if blank, on zero", { "@if": { blank: at("$.zero"), then: 1, else: 2 } }, 1, { is: 2 }],
  ["a falsy else", { "@if": { exists: at("$.none"), then: 1, else: 0 } }, 0, { is: undefined }],
  ["a falsy literal else", { "@if": { exists: at("$.none"), then: 1, else: { "@literal": false } } }, false],
  ["then: null", { "@if": { exists: at("$.text"), then: null } }, null],
  ["@coalesce", { "@coalesce": [at("$.nowhere"), at("$.none"), at("$.empty"), at("$.zero")] }, 0],
  ["@case upper", { "@case": { operator: "upper", value: at("$.text") } }, "ACME INC"],
  ["@case on a number", { "@case": { operator: "upper", value: at("$.zero") } }, 0],
  ["@replace", { "@replace": { value: "a.b.a", pattern: ".", replacement: "-" } }, "a-b-a"],
  [
    "@replace once, then another",
    { "@replace": { value: "aab", pattern: "A", replacement: "c", global: false, ignorecase: true, pattern2: "b" } },
    "ca",
  ],
  ["$& in a replacement", { "@replace": { value: "ab", pattern: "a", replacement: "$&$&" } }, "$&$&b", { is: "aab" }],
  ["@replace on an object", { "@replace": { value: at("$.owners"), pattern: "a" } }, ""],
  ["@arrayPath", { "@arrayPath": ["$.a.b", { n: at("$.id") }] }, [{ n: 1 }, { n: 2 }]],
  ["@arrayPath with a directive as shape", { "@arrayPath": ["$.a.b", at("$.id")] }, [1, 2]],
  ["@arrayPath on one object", { "@arrayPath": ["$.owners", { n: at("$.name") }] }, [{ n: "Ada" }]],
  ["@arrayPath on nothing", { "@arrayPath": ["$.nowhere", { n: at("$.name") }] }, undefined],
  ["@arrayPath without a shape", { "@arrayPath": ["$.a.b"] }, [{ id: 1 }, { id: 2 }]],
  ["@literal", { "@literal": { deep: at("$.text") } }, { deep: { "@path": "$.text" } }, { is: { deep: "Acme Inc" } }],
  ["@flatten", { "@flatten": { value: at("$.a"), separator: "_" } }, { b_0_id: 1, b_1_id: 2, "x.y": 5, x_y: 6 }],
  [
    "@flatten without lists",
    { "@flatten": { value: { l: [1], n: null, e: {} }, separator: ".", omitArrays: true } },
    { l: [1], n: null },
  ],
  ["@flatten of a scalar", { "@flatten": { value: 3, separator: "." } }, { "": 3 }],
  ["@flatten of nothing", { "@flatten": { value: at("$.nowhere"), separator: "." } }, {}],
  ["@json encode", { "@json": { mode: "encode", value: at("$.owners") } }, '{"name":"Ada"}'],
  ["@json decode", { "@json": { mode: "decode", value: "12" } }, 12],
  ["@json decode of what is no JSON", { "@json": { mode: "decode", value: at("$.text") } }, "Acme Inc"],
  [
    "@merge right",
    { "@merge": { direction: "right", objects: [{ a: 1, b: 1 }, { a: 2 }, at("$.none")] } },
    { a: 2, b: 1 },
  ],
  ["@merge left", { "@merge": { direction: "left", objects: [{ a: 1 }, { a: 2, b: 2 }] } }, { a: 1, b: 2 }],
  ["@excludeWhenNull", { "@excludeWhenNull": { a: null, b: { c: null }, d: [null] } }, { b: {}, d: [null] }],
  ["@excludeWhenNull on null", { "@excludeWhenNull": at("$.none") }, undefined],
  ["@omit", { "@omit": { value: at("$.owners"), keys: ["name", "other"] } }, {}],
];

describe("a value", () => {
  it.each(VALUES)("%s, in prickle's dialect", (_what, value, gives) => {
    expect(valueMapping(value)(RECORD)).toEqual(gives);
  });
  const bySegment = VALUES.map(([what, value, gives, segment]) => [what, value, segment ? segment.is : gives] as const);
  it.each(bySegment)("%s, in Segment's dialect", (_what, value, gives) => {
    expect(valueMapping(value, "segment")(RECORD)).toEqual(gives);
  });

  it("searches what a template put in for placeholders only in Segment's dialect", () => {
    const sly = { name: "{{text}}", text: "secret" };
    expect(valueMapping({ "@template": "{{{name}}}" })(sly)).toBe("{{text}}");
    expect(valueMapping({ "@template": "{{{name}}}" }, "segment")(sly)).toBe("secret");
  });

  it("is refused when a directive is written wrongly", () => {
    expect(() => valueMapping({ "@merge": { objects: 3 } })).toThrow(/found 3; a list of objects/);
    expect(() => valueMapping({ "@if": { exists: null, then: 1 } })).toThrow(/"exists" or "blank" is missing/);
    expect(() => valueMapping({ "@replace": { value: "x", pattern: "12345678901" } })).toThrow(/at most 10 characters/);
    expect(() => valueMapping({ "@flatten": { value: {} } })).toThrow(/"separator" is missing/);
  });
});
