import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { typeValue } from "../../../src/sources/hubspot/values.ts";

const OPTIONS = [
  { value: "a", label: "Alpha" },
  { value: "b", label: "Beta" },
];

function typed(raw: string | null, type: string, fieldType = "text", usesLabels = false) {
  return typeValue(raw, { type, fieldType, options: OPTIONS }, { usesLabels });
}

describe("a value of HubSpot", () => {
  it.each([
    ["bool", "true", true],
    ["bool", "False", false],
    ["number", "17", 17],
    ["number", "-1,234,567.5", -1_234_567.5],
    ["number", " 12.50 ", 12.5],
    ["number", "1.5e3", 1500],
    ["number", "12345678901234567890", "12345678901234567890"],
    ["number", "33.333333333333333333", 33.333333333333336],
    ["number", "000000000000000000012", 12],
    ["date", "2022-05-28", "2022-05-28"],
    ["date", "1653696000000", "2022-05-28"],
    ["date", "2022-05-28T00:00:00Z", "2022-05-28"],
    ["datetime", "2026-09-30T12:00:01.234Z", "2026-09-30T12:00:01.234Z"],
    ["datetime", "2026-09-30T12:00:01+02:00", "2026-09-30T10:00:01.000Z"],
    ["datetime", "2026-09-30T12:00:01", "2026-09-30T12:00:01.000Z"],
    ["datetime", "1653696000000.0", "2022-05-28T00:00:00.000Z"],
    ["string", " as it is ", " as it is "],
    ["phone_number", "+4712345678", "+4712345678"],
    ["json", '{"a":1}', '{"a":1}'],
    ["something new", "x", "x"],
  ])("of the type %s that is %j becomes %j", (type, raw, value) => {
    expect(typed(raw, type)).toEqual({ value, isRefused: false });
  });

  it.each([
    ["bool", "yes"],
    ["number", "N/A"],
    ["number", "3092727991;3881228353"],
    ["number", "12,34"],
    ["number", "1e999"],
    ["date", "28.05.2022"],
    ["datetime", "soon"],
  ])("of the type %s that is %j stays as it is, and is refused", (type, raw) => {
    expect(typed(raw, type)).toEqual({ value: raw, isRefused: true });
  });

  it.each(["bool", "number", "date", "datetime", "enumeration", "string"])(
    "of the type %s that is empty is null",
    (type) => {
      expect([typed("", type), typed(null, type)].map(({ value }) => value)).toEqual([null, null]);
    },
  );

  it("of several options is a list, by names or by labels", () => {
    expect(typed("a; b;", "enumeration", "checkbox").value).toEqual(["a", "b"]);
    expect(typed("a;b;c", "enumeration", "checkbox", true).value).toEqual(["Alpha", "Beta", "c"]);
    expect(typed("a", "enumeration", "select").value).toBe("a");
    expect(typed("a", "enumeration", "select", true).value).toBe("Alpha");
    expect(typed("true", "enumeration", "booleancheckbox").value).toBe(true);
  });

  it("that is a day is the same day wherever it is read", () => {
    const days = fc.date({ min: new Date("1971-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(days, (day) => {
        const text = day.toISOString().slice(0, 10);
        expect(typed(text, "date").value).toBe(text);
        const ms = Date.parse(text);
        if (String(ms).length >= 9) expect(typed(String(ms), "date").value).toBe(text);
      }),
    );
  });

  it("of whatever kind is typed, or stays as it is", () => {
    const types = fc.constantFrom("bool", "number", "enumeration", "date", "datetime", "string");
    fc.assert(
      fc.property(
        fc.string(),
        types,
        fc.constantFrom("text", "checkbox", "booleancheckbox"),
        (raw, type, fieldType) => {
          const { value, isRefused } = typed(raw, type, fieldType);
          if (isRefused) expect(value).toBe(raw);
          expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        },
      ),
    );
  });
});
