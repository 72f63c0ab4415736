// biome-ignore-all lint/suspicious/noThenProperty: that is how @if is written
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrickleError } from "../../../src/core/errors.ts";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { importSubscriptions } from "../../../src/core/mapping/import/subscriptions.ts";
import type { Mapping } from "../../../src/core/mapping/mapping.ts";
import { compileValue, recordOf } from "./shipped.ts";

const key = fc.constantFrom("a", "b", "x.y", "", "0", "__proto__", "constructor", "toString", "length");
const payload: fc.Arbitrary<JsonObject> = fc
  .dictionary(
    fc.oneof(key, fc.constantFrom("type", "event", "userId", "groupId", "traits", "properties")),
    fc.jsonValue(),
  )
  // As it comes in: by JSON.parse, so that `__proto__` is a key of its own.
  .map((object) => JSON.parse(JSON.stringify(object)) as JsonObject);

const path = fc.oneof(
  fc.constantFrom(
    "$.",
    "$.a",
    "$.traits.b",
    "$.a['x.y']",
    "$.a[0]",
    "$.__proto__.a",
    "$.constructor.name",
    "$.a.length",
  ),
  fc.string({ maxLength: 12 }),
);
const text = fc.oneof(path, fc.constantFrom("", "{{a}}", "{{{ a.b }}}", "{{", "track", "2026-02-28", "acme.com", "12"));
const { value } = fc.letrec<{ value: JsonValue; bag: JsonValue; directive: JsonValue }>((tie) => {
  const at = (name: string, argument: fc.Arbitrary<unknown>) =>
    argument.map((inner) => ({ [name]: inner }) as JsonValue);
  const of = (shape: Record<string, fc.Arbitrary<unknown>>, needed: string[] = []) =>
    fc.record(shape, { requiredKeys: needed });
  const [any, keys] = [tie("value"), fc.array(key, { maxLength: 3 })];
  const otherwise = fc.constantFrom("refuse", "pass", "null", "omit", null, "else");
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      { weight: 2, arbitrary: text },
      fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
      tie("bag"),
      {
        weight: 5,
        arbitrary: tie("directive"),
      },
    ),
    bag: fc.dictionary(key, any, { maxKeys: 3 }) as fc.Arbitrary<JsonValue>,
    directive: fc.oneof(
      { maxDepth: 4 },
      { weight: 5, arbitrary: at("@path", path) },
      at("@path", any),
      at("@template", fc.oneof(text, any)),
      at("@if", of({ exists: any, blank: any, then: any, else: any })),
      at("@case", of({ operator: fc.constantFrom("lower", "upper", "up"), value: any }, ["value"])),
      at(
        "@replace",
        of(
          {
            value: any,
            pattern: fc.string({ minLength: 1, maxLength: 11 }),
            replacement: fc.string({ maxLength: 5 }),
            ignorecase: fc.boolean(),
          },
          ["value", "pattern"],
        ),
      ),
      at("@arrayPath", fc.array(any, { maxLength: 3 })),
      at("@literal", any),
      at(
        "@flatten",
        of({ value: any, separator: fc.constantFrom(".", "_", ""), omitArrays: fc.boolean() }, ["value", "separator"]),
      ),
      at("@json", of({ mode: fc.constantFrom("encode", "decode", "ENCODE"), value: any }, ["mode", "value"])),
      at(
        "@merge",
        of({ objects: fc.array(any, { maxLength: 3 }), direction: fc.constantFrom("left", "right", "LEFT") }, [
          "objects",
        ]),
      ),
      at("@transform", of({ apply: any, mapping: any }, ["apply", "mapping"])),
      at("@excludeWhenNull", any),
      at(
        "@liquid",
        fc.constantFrom(
          "{{ a }}",
          "{% if a %}{{ a | upcase }}{% endif %}",
          "{{ a | json }}",
          "{% increment a %}{{ a }}",
          "{{ a | date: '%Y' }}",
          "{% for",
          "{{ a | slice: 0, 9 | split: b | last }}",
        ),
      ),
      at("@coalesce", fc.array(any, { maxLength: 3 })),
      at(
        "@cast",
        of(
          {
            value: any,
            to: fc.constantFrom("number", "integer", "boolean", "date", "datetime", "string", "int"),
            zone: fc.constantFrom("utc", "Europe/Oslo", "Mars"),
            otherwise,
          },
          ["value", "to"],
        ),
      ),
      at("@lookup", of({ value: any, table: tie("bag"), otherwise }, ["value", "table"])),
      at("@domain", of({ value: any, freeMail: fc.boolean(), otherwise }, ["value"])),
      at("@pick", of({ value: any, keys }, ["value", "keys"])),
      at("@omit", of({ value: any, keys }, ["value", "keys"])),
      at(
        "@rename",
        of({ value: any, keys: fc.dictionary(key, key), case: fc.constantFrom("snake", "camel") }, ["value"]),
      ),
      at(
        "@group",
        of({ type: fc.constantFrom("company", "team"), key: any, where: tie("bag"), property: key }, ["type"]),
      ),
    ),
  };
});

const when = fc.constantFrom(
  ...[
    'type = "track"',
    "traits.a",
    'match(event, "*a*b")',
    "a in properties.list",
    "length(a) > 1 or !b",
    "true",
    "type = ",
    '"a',
  ],
);
const mappings = fc
  .record({ dialect: fc.constantFrom("prickle", "segment"), when, value, groupKey: value, groups: value })
  .map(({ dialect, when: first, value: properties, groupKey, groups }) => ({
    dialect,
    groupTypes: ["company"],
    rules: [
      { name: "first", when: first, groupIdentify: { groupType: "company", groupKey, properties } },
      { name: "second", event: { name: "e", distinctId: groupKey, properties, groups } },
    ],
  }));

function compiled(mapping: unknown): Mapping | null {
  try {
    return compileMapping({ name: "any", file: "any.yaml", text: JSON.stringify(mapping) });
  } catch (thrown) {
    if (thrown instanceof PrickleError && thrown.code === "MAPPING_INVALID") return null;
    throw thrown;
  }
}

function deepFreeze<Value>(found: Value): Value {
  if (typeof found === "object" && found !== null && !Object.isFrozen(found)) {
    Object.freeze(found);
    Object.values(found).forEach(deepFreeze);
  }
  return found;
}

describe("whatever the mapping and whatever the payload", () => {
  it("it is refused when it is loaded, or gives messages or problems: never an exception, never a changed payload", () => {
    let ran = 0;
    fc.assert(
      fc.property(mappings, fc.array(payload, { minLength: 1, maxLength: 4 }), (mapping, payloads) => {
        const runnable = compiled(mapping);
        if (!runnable) return;
        ran += 1;
        for (const one of payloads.map(deepFreeze)) {
          const before = JSON.stringify(one);
          const first = runnable.apply(recordOf(one));
          expect(first.drafts.length + first.problems.length).toBeGreaterThan(0);
          expect(JSON.stringify(one)).toBe(before);
          // Running it leaves nothing behind in it.
          expect(JSON.stringify(runnable.apply(recordOf(one)))).toBe(JSON.stringify(first));
        }
      }),
      { numRuns: 3000 },
    );
    expect(ran).toBeGreaterThan(500);
    expect("polluted" in {}).toBe(false);
  });

  it("every file of any text or content is checked without an exception", () => {
    const source = (content: string) => ({ name: "any", file: "any.yaml", text: content });
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (content) => void checkMapping(source(content))),
    );
    fc.assert(fc.property(fc.jsonValue(), (content) => void checkMapping(source(JSON.stringify(content)))));
    const rule = fc.dictionary(fc.constantFrom("name", "when", "event", "reject", "groupIdentify", "before"), value);
    const file = fc.record({ extends: fc.constantFrom("a", undefined), rules: fc.array(rule), groupTypes: value });
    fc.assert(fc.property(file, (content) => void checkMapping(source(JSON.stringify(content)))));
  });

  it("every import gives a mapping that compiles, or is refused", () => {
    const field = fc.constantFrom(
      "event_name",
      "distinct_id",
      "properties",
      "group_id",
      "group_type",
      "traits",
      "groups",
      "x",
      "__segment_internal_directive",
    );
    const subscription = fc.record(
      {
        name: fc.constantFrom("A", "B", "", 3),
        actionSlug: fc.constantFrom("event", "identify", "group", "other"),
        enabled: fc.boolean(),
        trigger: when,
        settings: fc.dictionary(field, value),
      },
      { requiredKeys: ["trigger"] },
    );
    fc.assert(
      fc.property(fc.array(subscription, { minLength: 1, maxLength: 4 }), (list) => {
        const { text: yaml } = importSubscriptions(JSON.parse(JSON.stringify(list)));
        compileMapping({ name: "imported", file: "imported.yaml", text: yaml });
      }),
      { numRuns: 300 },
    );
  });
});

/** Far below what a sender would notice, far above what a busy machine takes. */
const BEARABLE_MS = 1500;

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

describe("hostile mappings", () => {
  const said = (content: string) =>
    checkMapping({ name: "h", file: "h.yaml", text: content })
      .map(({ message }) => message)
      .join("\n");

  it("a file of 10 MB is refused at once", () => {
    const content = `groupTypes: [a]\nrules:\n${"  - { name: a, reject: { reason: no_rule, detail: x } }\n".repeat(180_000)}`;
    expect(content.length).toBeGreaterThan(9_900_000);
    expect(timed(() => expect(said(content)).toMatch(/1000000 are allowed/))).toBeLessThan(BEARABLE_MS);
  });

  it("an object whose length cannot be compared, where a text belongs, is refused", () => {
    const rules = "rules: [{ name: { length: { toString: 1 } }, reject: { reason: no_rule, detail: x } }]";
    expect(said(`groupTypes: [a]\n${rules}\n`)).toMatch(/cannot even be checked/);
    expect(said(`extends: a\n${rules}\n`)).toMatch(/cannot even be checked/);
  });

  it("anchors that unfold into billions are refused", () => {
    const levels = "bcdefghij".split("").map((name, index) => {
      const inner = `*${String.fromCharCode(name.charCodeAt(0) - 1)}`;
      return `x${index}: &${name} [${Array(10).fill(inner).join(", ")}]\n`;
    });
    expect(
      timed(() => expect(said(`a: &a [1, 1]\n${levels.join("")}`)).toMatch(/more than 100000 values/)),
    ).toBeLessThan(BEARABLE_MS);
  });

  it("anchors within themselves are refused, nesting without end too", () => {
    expect(said("groupTypes: [a]\nrules: &r [{ name: x, event: { name: &n { a: *n }, distinctId: d } }]\n")).toMatch(
      /itself/,
    );
    for (const deep of ["[".repeat(50_000), `a: ${"[".repeat(50_000)}${"]".repeat(50_000)}`])
      expect(said(deep)).toBe("nested too deeply to be read");
    const deep = `${'{ "@literal": '.repeat(3000)}1${" }".repeat(3000)}`;
    expect(said(`groupTypes: [a]\nrules: [{ name: x, event: { name: ${deep}, distinctId: d } }]\n`)).not.toBe("");
  });
});

describe("mappings of many conditions", () => {
  const file = (conditions: readonly string[]) =>
    JSON.stringify({
      dialect: "prickle",
      groupTypes: ["a"],
      rules: conditions.map((when, index) => ({
        ...{ name: `r${index}`, when },
        event: { name: "e", distinctId: "d", groups: { a: "k" } },
      })),
    });
  const check = (conditions: readonly string[]) =>
    checkMapping({ name: "h", file: "h.yaml", text: file(conditions) }).map(
      ({ path, message }) => `${path} ${message}`,
    );
  const terms = (length: number, term: (index: number) => string, by: string) =>
    Array.from({ length }, (_, index) => term(index)).join(by);

  it("a condition has at most 10,000 characters", () => {
    const ten = `event = "${"x".repeat(9_990)}"`;
    expect(check([ten])).toEqual([]);
    expect(check([`${ten} `])).toEqual([
      expect.stringMatching(/^rules\[0\]\.when found 10001 characters; 10000 are allowed/),
    ]);
  });

  it("a mapping has at most 1000 rules", () => {
    const conditions = (length: number) => Array.from({ length }, (_, index) => `event = "e${index}"`);
    expect(check(conditions(1000))).toEqual([]);
    expect(
      timed(() => expect(check(conditions(1500))).toEqual(["rules found 1500 rules; 1000 are allowed"])),
    ).toBeLessThan(2 * BEARABLE_MS);
  });

  it.each([
    ["terms joined by and", (rule: number) => `${terms(690, (index) => `a != ${index}`, " and ")} and b = ${rule}`],
    ["terms of other fields", (rule: number) => terms(690, (index) => `a${index} = ${rule}`, " and ")],
    ["terms joined by or", (rule: number) => terms(690, (index) => `a = ${index + rule * 1000}`, " or ")],
    ["terms without values", (rule: number) => terms(690, (index) => `a${rule} > ${index}`, " or ")],
    ["lists", (rule: number) => `b = ${rule} and a in [${terms(1400, String, ",")}]`],
  ])("%s are checked in time", (_what, condition) => {
    const conditions = Array.from({ length: 40 }, (_, rule) => condition(rule));
    expect(timed(() => check(conditions))).toBeLessThan(4 * BEARABLE_MS);
  });

  it("a rule among hundreds is still found never to be reached", () => {
    const conditions = Array.from({ length: 900 }, (_, index) => `type = "track" and event = "e${index}"`);
    expect(check([...conditions, '(event = "e7" or event = "e8") and type = "track"'])).toEqual([
      'rules[900] never reached: rule "r7" and "r8" before it apply whenever it would',
    ]);
    const longest = terms(500, (index) => `event = "e${index}"`, " or ");
    expect(check([longest, 'type = "track" and event = "e499"'])).toEqual([
      'rules[1] never reached: rule "r0" before it applies whenever it would',
    ]);
  });
});

describe("hostile templates and patterns", () => {
  const big = "x".repeat(800_000);
  const data = {
    ...{ big, almost: `${"x".repeat(400_000)}y`, lt: "<".repeat(800_000), space: `a${" ".repeat(800_000)}b` },
    list: Array.from({ length: 50_000 }, (_, a) => ({ a })),
  };

  it.each([
    ["text that doubles", `{% assign a = big %}${"{% assign a = a | append: a %}".repeat(30)}{{ a }}`],
    [
      "text captured again and again",
      `{% assign a = big %}${"{%capture a%}{{a}}{{a}}{{a}}{%endcapture%}".repeat(20)}{{ a | size }}`,
    ],
    ["much put out", "{{big}}".repeat(140)],
    ["much put out raw", "{{big|raw}}".repeat(90)],
    ["a range without end", '{{ (1..100000000) | join: "" }}'],
    ["a wide date", '{{ "2026-01-01" | date: "%1000000000d" }}'],
    ["a text replaced by itself", '{{ big | replace: "x", big }}'],
    ["a text split to pieces", "{{ big | split: '' | size }}".repeat(30)],
    ["tags that never close", "{{ lt | strip_html | size }}".repeat(30)],
  ])("@liquid: %s is refused in time", (_what, template) => {
    const mapping = compileValue({ "@liquid": template });
    const took = timed(() => {
      expect(mapping.apply(recordOf(data))).toMatchObject({
        drafts: [],
        problems: [
          { reason: "invalid_field", detail: expect.stringMatching(/@liquid: found a template that fails: .*limit/) },
        ],
      });
    });
    expect(took).toBeLessThan(BEARABLE_MS);
  });

  it.each([
    ["lists searched", "{{ list | where: 'a', 1 | size }}".repeat(28)],
    ["texts compared", `{% if ${"big contains almost and ".repeat(35)} true %}x{% endif %}`],
    ["spaces squeezed", "{{ space | squish | size }}".repeat(5)],
    ["lists written", "{{ list | json | size }}".repeat(35)],
  ])("@liquid: %s ends in time, either way", (_what, template) => {
    const mapping = compileValue({ "@liquid": template });
    expect(timed(() => mapping.apply(recordOf(data)))).toBeLessThan(2 * BEARABLE_MS);
  });

  it.each(["for x in list", "case a", "include 'x'", "layout 'x'", "render 'x'", "tablerow x in list"])(
    "@liquid: the tag {%% %s %%} is refused when it is loaded",
    (tag) => expect(() => compileValue({ "@liquid": `{% ${tag} %}` })).toThrow(/is not allowed/),
  );

  it.each(["map: 'a'", "sort", "group_by: 'a'", "where_exp: 'x', 'x'", "sample", "reverse"])(
    "@liquid: the filter %s is refused when it is loaded",
    (filter) =>
      expect(() => compileValue({ "@liquid": `{{ list | ${filter} }}` }, "segment")).toThrow(
        /filter "\w+" is not allowed/,
      ),
  );

  it("@liquid takes 1000 characters and no more", () => {
    expect(compileValue({ "@liquid": "x".repeat(1000) }).apply(recordOf({})).drafts[0]?.properties.value).toHaveLength(
      1000,
    );
    expect(() => compileValue({ "@liquid": "x".repeat(1001) })).toThrow(/found 1001 characters; 1000 are allowed/);
  });

  it("@liquid neither counts in the record nor reaches a prototype", () => {
    const count = compileValue({ "@liquid": "{% increment n %}{{ n }}{{ n.constructor }}{{ toString }}" });
    const record = deepFreeze(recordOf({ n: 1 }));
    expect(count.apply(record).drafts[0]?.properties.value).toBe("12");
    expect(count.apply(record).drafts[0]?.properties.value).toBe("12");
  });

  it("@liquid says now is when the record came in", () => {
    const now = compileValue({ "@liquid": "{{ 'now' | date: '%Y-%m-%dT%H:%M' }} {{ 'today' | date_to_xmlschema }}" });
    const { drafts } = now.apply({ ...recordOf({}), receivedAt: Date.UTC(2026, 1, 28, 8, 30) });
    expect(drafts[0]?.properties.value).toBe("2026-02-28T08:30 2026-02-28T08:30:00+00:00");
  });

  it.each([
    ["@replace", { "@replace": { value: { "@path": "$.big" }, pattern: "(x+x+)+y" } }],
    ["a glob", null],
    ["a template", { "@template": "{{{{{{{{{{big}}}}}}}}}}" }],
    ["a domain", { "@domain": { value: { "@path": "$.dots" } } }],
    ["a number", { "@cast": { value: { "@path": "$.digits" }, to: "number", otherwise: "null" } }],
    ["a date", { "@cast": { value: { "@path": "$.digits" }, to: "date", otherwise: "null" } }],
    ["a rename", { "@rename": { value: { "@path": "$.keys" }, case: "snake" } }],
  ])("a catastrophic text for %s ends in time", (_what, given) => {
    const texts = {
      big,
      dots: `${"a.".repeat(400_000)};`,
      digits: `${"1".repeat(800_000)}x`,
      keys: { [`${"aB".repeat(200_000)}-`]: 1 },
    };
    const glob = { name: "r", when: `match(big, "${"*x".repeat(40)}y")`, reject: { reason: "no_rule", detail: "x" } };
    const mapping = given ? compileValue(given) : compiled({ groupTypes: ["a"], rules: [glob] });
    expect(timed(() => mapping?.apply(recordOf(texts)))).toBeLessThan(BEARABLE_MS);
  });
});
