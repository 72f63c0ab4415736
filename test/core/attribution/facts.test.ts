import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readEventFacts,
  readIdentifyFacts,
  readStatements,
  writeEventFacts,
  writeIdentifyFacts,
  writeStatements,
} from "../../../src/core/attribution/facts.ts";
import type { GroupIdentifyDraft } from "../../../src/core/message.ts";
import { companyOf, joins, knowing, leaves, owns } from "./people.ts";

const RECORD = { source: "crm", id: "r1", occurredAt: 5, statedAt: 5, receivedAt: 6, payload: {} };

describe("facts of an event", () => {
  it("come back as they were, whatever the ids are", () => {
    const ids = fc.array(
      fc.string({ unit: "grapheme", minLength: 1 }).map((id) => `u${id}`),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(fc.integer(), ids, fc.array(fc.string()), (at, people, has) => {
        expect(readEventFacts(writeEventFacts({ at, ids: people, has }))).toEqual({ at, ids: people, has });
      }),
    );
  });

  it("leave out ids that are those of many people", () => {
    const facts = writeEventFacts({ at: 1, ids: ["ann", "null", " Undefined ", "", "anonymous"], has: [] });
    expect(readEventFacts(facts)).toEqual({ at: 1, ids: ["ann"], has: [] });
  });

  it("are not those of a group identify", () => {
    const draft = { kind: "groupIdentify", groupType: "company", groupKey: "acme", properties: {} } as const;
    expect(readEventFacts(writeIdentifyFacts(draft, RECORD))).toBeNull();
  });
});

describe("facts of a group identify", () => {
  it("come back with what the ledger adds, and without hints when there are none", () => {
    const draft: GroupIdentifyDraft = {
      kind: "groupIdentify",
      groupType: "company",
      groupKey: "acme",
      properties: { a: [1] },
    };
    expect(readIdentifyFacts(writeIdentifyFacts(draft, RECORD), "crm", "u-1")).toEqual({
      source: "crm",
      uuid: "u-1",
      recordId: "r1",
      groupType: "company",
      groupKey: "acme",
      aliases: [],
      mergedAliases: [],
      fallbackKey: null,
      properties: { a: [1] },
      at: 5,
      receivedAt: 6,
    });
  });

  it("keep every hint at the key, and any property", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.string()), (given, aliases) => {
        const properties = JSON.parse(JSON.stringify(given));
        const keys = { aliases, mergedAliases: aliases.toReversed(), fallbackKey: "f" };
        const draft = { kind: "groupIdentify", groupType: "company", groupKey: null, properties, keys } as const;
        const read = readIdentifyFacts(writeIdentifyFacts(draft, RECORD), "crm", "u-1");
        expect(read).toMatchObject({ groupKey: null, ...keys });
        expect(JSON.stringify(read.properties)).toBe(JSON.stringify(properties));
      }),
    );
  });

  it("cannot pass themselves off as another source's, or carry another uuid", () => {
    const properties = { source: "evil", uuid: "evil", at: 0, groupKey: "evil" };
    const draft = { kind: "groupIdentify", groupType: "company", groupKey: "acme", properties } as const;
    const read = readIdentifyFacts(writeIdentifyFacts(draft, RECORD), "crm", "u-1");
    expect(read).toMatchObject({ source: "crm", uuid: "u-1", at: 5, groupKey: "acme" });
  });
});

describe("statements", () => {
  const member = (ids: readonly string[], groupKey: string, joining = true) =>
    ({ kind: "membership", at: 7, ids, groupType: "company", groupKey, joins: joining }) as const;
  const join = (id: string, earlierId: string) => ({ kind: "join", at: 8, id, earlierId }) as const;
  const changesOf = (...all: Parameters<typeof writeStatements>[0]) => readStatements(writeStatements(all));

  it("become changes to what is known, in their order", () => {
    expect(changesOf(member(["ann"], "acme"), join("ann", "device"), member(["ann"], "", false))).toEqual([
      joins(7, "ann", "acme"),
      owns(8, "ann", "device"),
      leaves(7, "ann"),
    ]);
  });

  it("have no line break in their text, so that they can stand a parcel a line", () => {
    expect(writeStatements([member(["a\nb\r\u2028"], "x\ny")])).not.toContain("\n");
  });

  it("make a membership that of the id named first, whose the others are", () => {
    expect(changesOf(member(["ann", "device", "phone"], "acme"))).toEqual([
      joins(7, "ann", "acme"),
      owns(7, "ann", "device"),
      owns(7, "ann", "phone"),
    ]);
  });

  it("do not give the owner of a shared device the groups of those who use it too", () => {
    const [ann, bob] = [
      changesOf(member(["ann", "kiosk"], "acme")),
      changesOf({ ...member(["bob", "kiosk"], "beta"), at: 9 }),
    ];
    const knowledge = knowing(...ann, ...bob);
    expect(companyOf(knowledge, "ann", 10)).toBe("acme");
    expect(companyOf(knowledge, ["ann", "kiosk"], 10)).toBe("acme");
    expect(companyOf(knowledge, ["bob", "kiosk"], 10)).toBe("beta");
  });

  it("say nothing of ids that are those of many people", () => {
    expect(changesOf(member(["anonymous", "ann"], "acme"))).toEqual([joins(7, "ann", "acme")]);
    expect(changesOf(member(["undefined"], "acme"), join("ann", "null"), join("guest", "ann"))).toEqual([]);
  });
});
