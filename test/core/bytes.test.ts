import fc from "fast-check";
import { expect, it } from "vitest";
import { createByteWriter } from "../../src/core/bytes.ts";
import { uuidOf, uuidText, uuidTextAt } from "../../src/core/uuid.ts";

const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary", maxLength: 200 }), fc.constant("\ud800 alone"));

it("lays texts as UTF-8, short or long, as Buffer does", () => {
  fc.assert(
    fc.property(fc.array(anyText), (texts) => {
      const out = createByteWriter(1);
      for (const text of texts) out.text(text);
      expect(out.view(0, out.length).equals(Buffer.from(texts.map((text) => Buffer.from(text)).join("")))).toBe(true);
    }),
  );
});

it("quotes texts as JSON does", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const out = createByteWriter(1);
      out.quoted(text);
      expect(out.view(0, out.length).toString()).toBe(JSON.stringify(text));
    }),
  );
});

it("lays a UUID as its bytes and as its text", () => {
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      const out = createByteWriter(1);
      out.uuid(uuidOf(text));
      out.uuidText(uuidOf(text));
      expect(uuidTextAt(out.view(0, out.length), 0)).toBe(text);
      expect(out.view(16, out.length).toString()).toBe(text);
      expect(uuidText(uuidOf(text))).toBe(text);
    }),
  );
});

it("takes back what was laid last, and writes over what was laid before", () => {
  const out = createByteWriter(1);
  out.number(1);
  out.text("gone");
  out.cut(4);
  out.text("kept");
  out.numberAt(0, 0xfffffffe);
  expect([...out.view(0, 4)]).toEqual([0xfe, 0xff, 0xff, 0xff]);
  expect(out.view(4, out.length).toString()).toBe("kept");
});

it("lets go of the memory it grew to, if that is more than is to be kept", () => {
  const out = createByteWriter(10);
  const kept = () => out.view(0, 0).buffer.byteLength;
  out.bytes(new Uint8Array(1_000_000));
  out.shrink(2_000_000);
  expect(out.length).toBe(0);
  expect(kept()).toBeGreaterThanOrEqual(1_000_000);
  out.shrink(100_000);
  expect(kept()).toBeLessThan(100_000);
  out.text("works");
  expect(out.view(0, out.length).toString()).toBe("works");
});
