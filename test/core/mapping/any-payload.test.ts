import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { compileMapping } from "../../../src/core/mapping/compile.ts";
import { applyTo, shippedMapping, valueMapping } from "./shipped.ts";

const mapping = shippedMapping("segment");

/** JSON.parse, not a literal: that is how a payload with an own key `__proto__` comes in. */
function parsed(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

const type = fc.constantFrom("group", "track", "page", "screen", "identify", "alias", "delete", "other");
const anyCall = fc
  .tuple(
    type,
    fc.dictionary(
      fc.constantFrom("userId", "groupId", "traits", "properties", "context", "event", "name"),
      fc.jsonValue(),
    ),
  )
  .map(([type, rest]) => parsed(JSON.stringify({ ...rest, type })));

describe("whatever the payload", () => {
  it("gives messages or problems, never throws and never changes it", () => {
    fc.assert(
      fc.property(anyCall, (payload) => {
        const before = JSON.stringify(payload);
        const { drafts, problems } = applyTo(mapping, payload);
        expect(drafts.length + problems.length).toBeGreaterThan(0);
        for (const draft of drafts) if (draft.kind === "event") draft.properties.added = 1;
        expect(JSON.stringify(payload)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps a key named __proto__ as data and leaves every prototype alone", () => {
    const payload = parsed(
      '{"type":"group","userId":"u","groupId":"g","traits":{"groupType":"project","__proto__":{"polluted":1}}}',
    );
    const properties = applyTo(mapping, payload).drafts[0]?.properties ?? {};
    expect(JSON.stringify(properties)).toBe('{"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(properties)).toBe(Object.prototype);
    expect("polluted" in {}).toBe(false);
  });

  it.each(["@flatten", "@merge", "@excludeWhenNull", "@omit"])("keeps it as data through %s", (directive) => {
    const source = { "@path": "$.bag" };
    const argument: Record<string, unknown> = {
      "@flatten": { value: source, separator: "." },
      "@merge": { objects: [source, source] },
      "@excludeWhenNull": source,
      "@omit": { value: source, keys: ["gone"] },
    };
    const result = valueMapping({ [directive]: argument[directive] })(parsed('{"bag":{"gone":1,"__proto__":7}}'));
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toContain('"__proto__":7');
  });

  it.each(["$.constructor", "$.__proto__", "$.list.map", "$.text.replace", "$.bag.toString.name"])(
    "does not reach a prototype by %s, in either dialect",
    (path) => {
      const payload = { list: [1], text: "t", bag: {} };
      expect(valueMapping({ "@path": path })(payload)).toBeUndefined();
      expect(valueMapping({ "@path": path }, "segment")(payload)).toBeUndefined();
    },
  );

  it("refuses a record too deeply nested for a directive, as a problem", () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 100_000; level++) deep = { a: deep };
    const text = JSON.stringify({
      groupTypes: ["company"],
      rules: [
        {
          name: "deep",
          event: {
            name: "e",
            distinctId: "u",
            properties: { "@excludeWhenNull": { "@path": "$." } },
          },
        },
      ],
    });
    const mapping = compileMapping({ name: "deep", file: "deep.yaml", text });
    expect(applyTo(mapping, { deep }).problems).toEqual([expect.objectContaining({ reason: "mapping_failed" })]);
  });
});
