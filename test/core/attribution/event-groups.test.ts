import fc from "fast-check";
import { expect, it } from "vitest";
import { writeWithGroups } from "../../../src/core/attribution/event-groups.ts";
import { createByteWriter } from "../../../src/core/bytes.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { uuidOf } from "../../fakes/outbox.ts";
import { messageFrom } from "../../fakes/parcels.ts";

const CONTEXT = { uuid: uuidOf(1), occurredAt: 5, lanes: 8 };

type Groups = Readonly<Record<string, string>>;

function eventText(properties: JsonObject, groups: Groups): string {
  return messageFrom(
    { kind: "event", event: 'Se"en\\', distinctId: "ann", properties: { ...properties }, groups },
    CONTEXT,
  ).json;
}

function withGroups(properties: JsonObject, groups: Groups, gained: Groups): string {
  const out = createByteWriter();
  const hasGroups = Object.keys(groups).length > 0;
  writeWithGroups(Buffer.from(eventText(properties, groups)), { hasGroups, gained }, out);
  return out.view(0, out.length).toString();
}

it.each([
  ["no properties", {}],
  ["one property", { a: 1 }],
  ["a last property that is an empty object", { a: {} }],
  ["a last property that ends in braces", { a: { b: { c: {} } } }],
  ["texts full of braces, quotes and backslashes", { a: '}}}"\\', '"}}': '\\"}' }],
  ["text beyond ASCII", { ä: "€\u{1f600}\u0000\u2028" }],
])("adds $groups to an event with %s, and changes nothing else", (_, properties) => {
  expect(withGroups(properties, {}, { company: "acme" })).toBe(eventText(properties, { company: "acme" }));
});

it("adds to the $groups an event has, after those it has", () => {
  expect(withGroups({ a: { b: {} } }, { company: "acme" }, { project: "rocket" })).toBe(
    eventText({ a: { b: {} } }, { company: "acme", project: "rocket" }),
  );
});

it("writes any key as JSON does", () => {
  const key = '\u{1f600}"}}\\\u0000\n';
  expect(withGroups({}, { company: key }, { project: key })).toBe(eventText({}, { company: key, project: key }));
});

it("makes of any event the text it would have had with the groups from the beginning", () => {
  const properties = fc.dictionary(
    fc.string().filter((name) => name !== "$groups" && name !== "$process_person_profile"),
    fc.jsonValue(),
    { noNullPrototype: true },
  );
  const keys = fc.string({ minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(properties, fc.option(keys), keys, (given, has, gained) => {
      const groups: Groups = has === null ? {} : { company: has };
      const all = has === null ? { project: gained } : { company: has, project: gained };
      const plain: JsonObject = JSON.parse(JSON.stringify(given));
      expect(withGroups(plain, groups, { project: gained })).toBe(eventText(plain, all));
    }),
    { numRuns: 300 },
  );
});

it("refuses a text that does not end as an event does, rather than break it", () => {
  const write = (text: string, hasGroups: boolean) => () =>
    writeWithGroups(Buffer.from(text), { hasGroups, gained: { company: "acme" } }, createByteWriter());
  expect(write('{"properties":{}} ', false)).toThrow("ends otherwise");
  expect(write('{"properties":{"a":1}}', true)).toThrow("ends otherwise");
});
