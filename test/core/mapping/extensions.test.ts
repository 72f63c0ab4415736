// biome-ignore-all lint/suspicious/noThenProperty: that is how @if is written
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { type KnownGroups, NO_KNOWN_GROUPS } from "../../../src/core/known-groups.ts";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { type MappingEnvironment, NO_ENVIRONMENT } from "../../../src/core/mapping/environment.ts";
import { compileValue, recordOf } from "./shipped.ts";

interface Given {
  readonly environment?: Partial<MappingEnvironment>;
  readonly groups?: KnownGroups;
}

/** What the value gives, or the reason and detail of the refusal. */
function give(value: unknown, payload: JsonObject = {}, { environment = {}, groups = NO_KNOWN_GROUPS }: Given = {}) {
  const mapping = compileValue(value, "prickle", { ...NO_ENVIRONMENT, ...environment });
  const { drafts, problems } = mapping.apply(recordOf(payload), groups);
  const [problem] = problems;
  return problem ? `${problem.reason} ${problem.detail}` : drafts[0]?.properties.value;
}

function saidOf(value: unknown, environment: Partial<MappingEnvironment> = {}): string {
  const rule = { name: "value", event: { name: "e", distinctId: "u", properties: { value } } };
  const text = JSON.stringify({ groupTypes: ["company"], rules: [rule] });
  const source = { name: "v", file: "v.yaml", text, environment: { ...NO_ENVIRONMENT, ...environment } };
  return checkMapping(source)
    .map(({ severity, path, message }) => `${severity} ${path} ${message}`)
    .join("\n");
}

const at = (path: string) => ({ "@path": path });

describe("@cast", () => {
  const cast = (value: JsonValue, to: string, more: JsonObject = {}) =>
    give({ "@cast": { value: at("$.v"), to, ...more } }, { v: value });

  it.each([
    ["12.5", "number", 12.5],
    [" -1e3 ", "number", -1000],
    [7, "number", 7],
    ["12", "integer", 12],
    ["12.0", "integer", 12],
    ["Yes", "boolean", true],
    ["0", "boolean", false],
    [1, "boolean", true],
    [false, "boolean", false],
    [12, "string", "12"],
    [true, "string", "true"],
    ["", "string", ""],
    ["", "number", null],
    ["  ", "date", null],
    [null, "number", null],
    ["2026-02-28", "date", "2026-02-28"],
    ["2026-02-28T23:30:00-05:00", "date", "2026-03-01"],
    ["2026-02-28T08:30:00Z", "datetime", "2026-02-28T08:30:00.000Z"],
    ["2026-02-28T08:30:00.123456+02:00", "datetime", "2026-02-28T06:30:00.123Z"],
    ["2026-02-28", "datetime", "2026-02-28T00:00:00.000Z"],
    ["2026-02-28 08:30", "datetime", undefined],
    [1_772_267_400, "datetime", "2026-02-28T08:30:00.000Z"],
    ["1772267400000", "datetime", "2026-02-28T08:30:00.000Z"],
    ["20260228", "date", "2026-02-28"],
    ["2026-W09-6", "date", "2026-02-28"],
    ["2026-059T08", "datetime", "2026-02-28T08:00:00.000Z"],
    ["+002026-02-28", "datetime", "2026-02-28T00:00:00.000Z"],
  ])("%j to %s gives %j", (value, to, gives) => {
    if (gives !== undefined) expect(cast(value, to)).toEqual(gives);
    else expect(cast(value, to)).toMatch(/^invalid_field/);
  });

  it.each([
    ["N/A", "number"],
    ["1,234.50", "number"],
    ["0x10", "number"],
    ["Infinity", "number"],
    [true, "number"],
    ["12.5", "integer"],
    ["9007199254740993", "integer"],
    ["maybe", "boolean"],
    [2, "boolean"],
    [{ a: 1 }, "string"],
    [["1"], "number"],
    ["2026-02-30", "date"],
    ["2026-02-30T00:00:00Z", "datetime"],
    [1e300, "datetime"],
    [true, "datetime"],
  ])("refuses %j as %s and says why", (value, to) => {
    expect(cast(value as JsonValue, to)).toMatch(
      /^invalid_field value: event\.properties\.value\.@cast: found .*; a.* is needed\.$|^invalid_field value: .*true, false, yes/,
    );
  });

  it.each(["12", "1230", "10:00", "T10:00", "2026", "2026-02", "2026-W09"])(
    "refuses %j as a time: on the day of reading, or the first of a month, it would be one",
    (text) => {
      for (const to of ["date", "datetime"]) expect(cast(text, to)).toMatch(/^invalid_field .* a date .*is needed/);
    },
  );

  it("refuses a number that JSON has no text for", () => {
    const record = JSON.parse('{ "v": 1e999 }');
    for (const to of ["number", "integer", "boolean", "string", "date", "datetime"])
      expect(give({ "@cast": { value: at("$.v"), to } }, record)).toMatch(/^invalid_field/);
  });

  it("leaves nothing as nothing", () => {
    expect(give({ "@cast": { value: at("$.v"), to: "number" } })).toBeUndefined();
  });

  it("passes, leaves out or gives null instead, as told", () => {
    expect(cast("N/A", "number", { otherwise: "pass" })).toBe("N/A");
    expect(cast("N/A", "number", { otherwise: "null" })).toBeNull();
    expect(cast("N/A", "number", { otherwise: null })).toBeNull();
    expect(cast("N/A", "number", { otherwise: "omit" })).toBeUndefined();
  });

  it("reads a time without an offset in the zone, summer and winter", () => {
    const zone = "Europe/Oslo";
    expect(cast("2026-02-28T08:30:00", "datetime", { zone })).toBe("2026-02-28T07:30:00.000Z");
    expect(cast("2026-07-28T08:30:00", "datetime", { zone })).toBe("2026-07-28T06:30:00.000Z");
    expect(cast("2026-07-28T08:30:00Z", "datetime", { zone })).toBe("2026-07-28T08:30:00.000Z");
    expect(cast("2026-02-28T23:30:00Z", "date", { zone })).toBe("2026-03-01");
  });

  it("reads a format of one's own", () => {
    const format = "dd.MM.yyyy HH:mm";
    expect(cast("28.02.2026 08:30", "datetime", { format, zone: "Europe/Oslo" })).toBe("2026-02-28T07:30:00.000Z");
    expect(cast("28/02/2026", "date", { format: "dd/MM/yyyy", zone: "Europe/Oslo" })).toBe("2026-02-28");
    expect(cast("2026-02-28", "date", { format: "dd/MM/yyyy" })).toMatch(/^invalid_field/);
  });

  it.each(["HH:mm", "dd.MM.", "d LLLL", "cccc", "MM/yyyy", "yyyy 'dd' MM", ""])(
    "refuses the format %j, which leaves a part of the day to the clock",
    (format) =>
      expect(saidOf({ "@cast": { value: "1", to: "datetime", format } })).toMatch(
        /error .*@cast\.format found ".*"; a year, a month and a day are needed/,
      ),
  );

  it.each([
    ["D", "2/28/2026"],
    ["ff", "Feb 28, 2026, 8:30 AM"],
    ["yy-L-d", "26-2-28"],
    ["kkkk-WW-E", "2026-09-6"],
    ["yyyy ooo", "2026 059"],
  ])("reads the format %s", (format, text) => expect(cast(text, "date", { format })).toBe("2026-02-28"));

  it("is checked when it is loaded", () => {
    expect(saidOf({ "@cast": { value: "1", to: "numbr" } })).toMatch(/@cast\.to found "numbr"; number, .* are allowed/);
    expect(saidOf({ "@cast": { value: "1", to: "date", zone: "Oslo" } })).toMatch(/error .*zone found "Oslo"/);
    expect(saidOf({ "@cast": { value: "1", to: "number", zone: "Europe/Oslo" } })).toMatch(/warning .*no effect/);
  });

  it("refuses the one output it is in", () => {
    const mapping = compileValue({ "@cast": { value: at("$.v"), to: "number" } });
    expect(mapping.apply(recordOf({ v: "x" }))).toMatchObject({ drafts: [], problems: [{ reason: "invalid_field" }] });
    expect(mapping.apply(recordOf({ v: "1" })).drafts).toHaveLength(1);
  });
});

describe("a refusal", () => {
  const number = { "@cast": { value: at("$.v"), to: "number" } };
  const text = JSON.stringify({
    groupTypes: ["company"],
    rules: [
      {
        name: "both",
        groupIdentify: { groupType: "company", groupKey: "acme", properties: { n: number, m: number } },
        event: { name: "e", distinctId: "u", groups: { company: at("$.group") } },
      },
    ],
  });
  const mapping = compileMapping({ name: "both", file: "both.yaml", text });

  it("keeps its output from making a message, and the other outputs of the rule go out", () => {
    const { drafts, problems } = mapping.apply(recordOf({ v: "N/A", group: "acme" }));
    expect(drafts).toMatchObject([{ kind: "event", groups: { company: "acme" } }]);
    expect(problems).toEqual([
      {
        reason: "invalid_field",
        detail: 'both: groupIdentify.properties.n.@cast: found "N/A"; a number is needed.',
      },
    ]);
  });

  it("does not outlive its record", () => {
    mapping.apply(recordOf({ v: "N/A" }));
    expect(mapping.apply(recordOf({ v: "1" })).problems).toEqual([]);
  });
});

describe("@lookup", () => {
  const table = { t1: "starter", 2: { name: "team" }, true: 3 };

  it("gives what the table says", () => {
    const lookup = { "@lookup": { value: at("$.v"), table } };
    expect(give(lookup, { v: "t1" })).toBe("starter");
    expect(give(lookup, { v: 2 })).toEqual({ name: "team" });
    expect(give(lookup, { v: true })).toBe(3);
    expect(give(lookup, { v: "constructor" })).toBeUndefined();
    expect(give(lookup, {})).toBeUndefined();
    expect(give({ "@lookup": { value: at("$.v"), table, otherwise: "pass" } }, { v: "x" })).toBe("x");
    expect(give({ "@lookup": { value: at("$.v"), table, otherwise: "refuse" } }, { v: "x" })).toMatch(
      /@lookup: found "x"; a value of the table is needed/,
    );
  });

  it("reads a CSV file, its columns by name", () => {
    const text = '\uFEFFcode,"plan, name"\r\nt1,"Starter ""S"""\r\n\r\nt2,Team\r\n';
    const environment = {
      readFile: (path: string, from: string) => ({ text: path + from === "p.csvvalue.yaml" ? text : "" }),
    };
    const lookup = { "@lookup": { value: at("$.v"), file: "p.csv", from: "code", to: "plan, name" } };
    expect(give(lookup, { v: "t1" }, { environment })).toBe('Starter "S"');
    expect(give(lookup, { v: "t2" }, { environment })).toBe("Team");
  });

  it("says what is wrong with its file when it is loaded", () => {
    const lookup = (from: string) => ({ "@lookup": { value: "x", file: "p.csv", from, to: "plan" } });
    const file = (text: string) => ({ readFile: () => ({ text }) });
    expect(saidOf(lookup("code"))).toMatch(/error .*file found no file "p.csv"/);
    expect(saidOf(lookup("cod"), file("code,plan\na,b\n"))).toMatch(/from found "cod"; code, plan .* mean "code"/);
    expect(saidOf(lookup("code"), file("code,plan\na,b\na,c\n"))).toMatch(/warning .*"a" is there twice/);
    expect(saidOf({ "@lookup": { value: "x" } })).toMatch(/either "table" or "file" is needed/);
  });
});

describe("@domain", () => {
  const domain = (value: JsonValue, more: JsonObject = {}) =>
    give({ "@domain": { value: at("$.v"), ...more } }, { v: value });

  it.each([
    ["acme.com", "acme.com"],
    ["https://www.Acme.co.uk:8080/about?x=1#y", "acme.co.uk"],
    ["//user:pw@shop.acme.io/", "acme.io"],
    ["Ada Lovelace@acme.com", "acme.com"],
    ["mailto:ada@mail.acme.com", "acme.com"],
    ["acme.com.", "acme.com"],
    ["acme.com; acme.de", "acme.com"],
    ["n/a, acme.io", "acme.io"],
    ["gmail.com;acme.de", "acme.de"],
    ["münchen.de", "xn--mnchen-3ya.de"],
    ["xn--mnchen-3ya.de", "xn--mnchen-3ya.de"],
    ["shop-a.myshopify.com", "shop-a.myshopify.com"],
    ["acme.github.io", "acme.github.io"],
  ])("%s is %s", (value, gives) => expect(domain(value)).toBe(gives));

  it.each([
    "ada@gmail.com",
    "yahoo.co.uk",
    "localhost",
    "10.0.0.1",
    "[::1]",
    "acme",
    "acme.nosuchsuffix",
    "github.io",
    "N/A",
    "",
    "co.uk",
    "linkedin.com/company/acme",
    ";;",
  ])("%j is none", (value) => expect(domain(value)).toBeUndefined());

  it("takes free mail if told so, and refuses if told so", () => {
    expect(domain("ada@gmail.com", { freeMail: true })).toBe("gmail.com");
    expect(domain("ada@gmail.com", { otherwise: "refuse" })).toMatch(
      /found "ada@gmail.com"; the domain of a company is needed/,
    );
    expect(domain(5, { otherwise: "null" })).toBeNull();
  });
});

describe("property bags", () => {
  const bag = { a: 1, "b.c": 2, "Total Billed": 3, $ip: 4, createdAt: 5, HTTPStatus2: 6 };
  const through = (directive: JsonObject) => give(directive, { bag });
  const value = at("$.bag");

  it("@pick takes keys, dots included", () => {
    expect(through({ "@pick": { value, keys: ["b.c", "gone", "a"] } })).toEqual({ a: 1, "b.c": 2 });
  });
  it("@omit leaves keys out", () => {
    expect(through({ "@omit": { value, keys: ["b.c", "$ip", "createdAt", "HTTPStatus2"] } })).toEqual({
      a: 1,
      "Total Billed": 3,
    });
  });
  it("@rename goes by a table", () => {
    expect(
      through({ "@rename": { value: { "@pick": { value, keys: ["a", "b.c"] } }, keys: { "b.c": "bc" } } }),
    ).toEqual({ a: 1, bc: 2 });
  });
  it("@rename goes by case, but for keys of the table and PostHog's own", () => {
    expect(through({ "@rename": { value, keys: { a: "aA" }, case: "snake" } })).toEqual({
      ...{ aA: 1, b_c: 2, total_billed: 3, $ip: 4 },
      ...{ created_at: 5, http_status2: 6 },
    });
    expect(through({ "@rename": { value, case: "camel" } })).toMatchObject({ totalBilled: 3, createdAt: 5, bC: 2 });
  });
  it("passes what is no object", () => {
    for (const directive of ["@pick", "@omit"]) expect(give({ [directive]: { value: 3, keys: [] } })).toBe(3);
    expect(give({ "@rename": { value: "x", case: "snake" } })).toBe("x");
  });
});

describe("@hash", () => {
  const key = "$" + "{HASH_KEY}";
  const environment = { secret: (name: string) => (name === "HASH_KEY" ? "secret" : null) };

  it("is HMAC-SHA256 in hex, the same for a number and its text", () => {
    const hash = (v: JsonValue) => give({ "@hash": { value: at("$.v"), key } }, { v }, { environment });
    expect(hash("ada@acme.com")).toBe("4c67c0c15e27f16a50ac258bd32d376474823cd4ec476db66821a11341b1d6d4");
    expect(hash(42)).toBe(hash("42"));
    expect(hash("")).toBeUndefined();
    expect(hash(null)).toBeUndefined();
    expect(hash([1])).toMatch(/@hash: found a list/);
  });
  it("takes its key from the environment only, and never shows it", () => {
    expect(saidOf({ "@hash": { value: "x", key } })).toMatch(/the environment variable HASH_KEY is not set/);
    expect(saidOf({ "@hash": { value: "x", key: "hunter2" } }, environment)).toMatch(/found a value that is not shown/);
    expect(saidOf({ "@hash": { value: "x", key: "hunter2" } }, environment)).not.toContain("hunter2");
  });
});

describe("@group", () => {
  const acme = { groupKey: "acme", properties: { name: "Acme", hubspot_id: "17", plan: "team" } };
  const groups: KnownGroups = {
    byKey: (type, key) => (type === "company" && key === "acme" ? acme.properties : null),
    byProperty: (type, property, value) =>
      type === "company" && property === "hubspot_id" && value === "17" ? acme : null,
  };
  const group = (argument: JsonObject, payload: JsonObject) => give({ "@group": argument }, payload, { groups });

  it("gives the key of a group known by a property, or a property of it", () => {
    const where = { hubspot_id: at("$.id") };
    expect(group({ type: "company", where }, { id: "17" })).toBe("acme");
    expect(group({ type: "company", where, property: "plan" }, { id: "17" })).toBe("team");
    expect(group({ type: "company", where, property: "constructor" }, { id: "17" })).toBeUndefined();
    expect(group({ type: "company", where }, { id: "18" })).toBeUndefined();
    expect(group({ type: "company", where }, { id: null })).toBeUndefined();
  });
  it("gives the key of a group known by its key, or a property of it", () => {
    expect(group({ type: "company", key: at("$.id") }, { id: "acme" })).toBe("acme");
    expect(group({ type: "company", key: at("$.id"), property: "name" }, { id: "acme" })).toBe("Acme");
    expect(group({ type: "company", key: at("$.id") }, { id: "other" })).toBeUndefined();
  });
  it("says what it reads, each once", () => {
    const ask = { "@group": { type: "company", where: { hubspot_id: 1 } } };
    const mapping = compileValue([ask, ask, { "@group": { type: "company", key: "a", property: "plan" } }]);
    expect(mapping.groupReads).toEqual([
      { groupType: "company", property: "hubspot_id", gives: null },
      { groupType: "company", property: null, gives: "plan" },
    ]);
  });
  it("knows nothing without known groups", () => {
    expect(give({ "@group": { type: "company", key: "acme" } })).toBeUndefined();
  });
  it("is checked when it is loaded", () => {
    expect(saidOf({ "@group": { type: "compny", key: "a" } })).toMatch(
      /warning .*"compny" is not among groupTypes.*mean "company"/,
    );
    expect(saidOf({ "@group": { type: "company" } })).toMatch(/either "key" or "where" is needed/);
    expect(saidOf({ "@group": { type: "company", where: { a: 1, b: 2 } } })).toMatch(/one property and its value/);
  });
});

describe("a root directive", () => {
  const root = { "@transform": { apply: { id: { "@case": { operator: "upper", value: at("$.id") } } } } };

  it("gives the fields beside it what it made", () => {
    const text = JSON.stringify({
      groupTypes: ["company"],
      rules: [
        {
          name: "whole",
          when: 'on = "output"',
          groupIdentify: { __segment_internal_directive: root, groupType: "company", groupKey: at("$.id") },
        },
        {
          name: "part",
          groupIdentify: {
            groupType: "company",
            groupKey: at("$.id"),
            properties: { __segment_internal_directive: root, up: at("$.id") },
          },
        },
      ],
    });
    const mapping = compileMapping({ name: "root", file: "root.yaml", text });
    const apply = (payload: JsonObject) => mapping.apply(recordOf(payload)).drafts;
    expect(apply({ on: "output", id: "acme" })).toEqual([
      { kind: "groupIdentify", groupType: "company", groupKey: "ACME", properties: {} },
    ]);
    expect(apply({ id: "acme" })).toEqual([
      { kind: "groupIdentify", groupType: "company", groupKey: "acme", properties: { up: "ACME" } },
    ]);
  });
  it("is refused where Segment does not know it, and when it is wrong", () => {
    expect(saidOf({ deep: { __segment_internal_directive: root } })).toMatch(/works at the top of an output only/);
  });
});
