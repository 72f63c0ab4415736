import { describe, expect, it } from "vitest";
import { createGroupStore, rulesFor } from "./group-store.ts";

const NOTHING = { set: {}, unset: [], stale: 0, change: null };

describe("what a source says of a group", () => {
  it("is sent with the group's key the first time, then only as far as it is new", () => {
    const group = createGroupStore();
    expect(group.tell({ at: 1, properties: { plan: "free", seats: 1 } })).toMatchObject({
      set: { plan: "free", seats: 1, group_key: "acme" },
      unset: [],
    });
    expect(group.tell({ at: 2, properties: { plan: "free", seats: 2 } })).toMatchObject({ set: { seats: 2 } });
  });

  it("is sent under the name the mapping has for the key, also when it says nothing else", () => {
    const group = createGroupStore(rulesFor({ segment: { keyProperty: "id" } }));
    expect(group.tell({ at: 1, properties: {} })).toMatchObject({ set: { id: "acme" }, stale: 0 });
    expect(group.tell({ at: 2, properties: {} })).toEqual(NOTHING);
  });

  it("is not sent, nor kept, when nothing of it is new", () => {
    const group = createGroupStore();
    group.tell({ at: 1, properties: { plan: "free", deep: { a: [1, { b: null }] } } });
    const again = { at: 1, properties: { deep: { a: [1, { b: null }] }, plan: "free" } };
    expect(group.tell(again)).toEqual(NOTHING);
    expect(group.tell({ ...again, at: 2 })).toMatchObject({ set: {}, change: { told: {}, restatedAt: 2 } });
  });

  it("is stale when it was true before what is known was, also before what was said again", () => {
    const group = createGroupStore();
    group.tell({ at: 10, properties: { plan: "free" } });
    group.tell({ at: 30, properties: { plan: "free" } });
    expect(group.tell({ at: 20, properties: { plan: "pro", seats: 2 } })).toMatchObject({
      set: { seats: 2 },
      stale: 1,
    });
    expect(group.properties()).toMatchObject({ plan: "free", seats: 2 });
  });

  it("of one time is the value whose JSON text is greater, in whatever order they come", () => {
    for (const plans of [
      ["free", "pro"],
      ["pro", "free"],
      ["pro", "free", "pro"],
    ]) {
      const group = createGroupStore();
      for (const plan of plans) group.tell({ at: 1, properties: { plan } });
      expect(group.properties().plan).toBe("pro");
    }
  });

  it("of one time is compared by the JSON text with its keys in order", () => {
    const [one, other, between] = [{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 3 }];
    for (const values of [
      [one, other, between],
      [one, between, other],
      [between, other, one],
      [other, between, one],
    ]) {
      const group = createGroupStore();
      for (const plan of values) group.tell({ at: 1, properties: { plan } });
      expect(group.properties().plan).toEqual(between);
    }
  });

  it("may have any name", () => {
    const properties = JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":"t","hasOwnProperty":[]}');
    const group = createGroupStore();
    const { set } = group.tell({ at: 1, properties });
    expect(Object.keys(set).sort()).toEqual(["__proto__", "constructor", "group_key", "hasOwnProperty", "toString"]);
    expect(JSON.stringify(set)).toContain('"__proto__":{"x":1}');
    expect(group.tell({ at: 2, properties })).toMatchObject({ set: {}, unset: [] });
    const changed = JSON.parse('{"__proto__":{"x":2},"constructor":2}');
    expect(JSON.stringify(group.tell({ at: 3, properties: changed }).set)).toBe(
      '{"__proto__":{"x":2},"constructor":2}',
    );
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe("a property that carries the key", () => {
  it("says nothing else, whatever a source says and in whatever order", () => {
    for (const times of [
      [1, 2],
      [2, 1],
    ]) {
      const group = createGroupStore(rulesFor({ segment: { nulls: "unset" } }));
      for (const at of times) group.tell({ at, properties: { group_key: at === 1 ? "other" : null, a: at } });
      expect(group.properties()).toMatchObject({ group_key: "acme" });
    }
  });

  it("is there under each name that sources give it, whichever comes first", () => {
    const rules = rulesFor({ segment: {}, crm: { keyProperty: "id" } });
    const sayings = [
      { source: "segment", at: 1, properties: { id: "7" } },
      { source: "crm", at: 2, properties: {} },
    ];
    for (const all of [sayings, sayings.toReversed()]) {
      const group = createGroupStore(rules);
      for (const saying of all) group.tell(saying);
      expect(group.properties()).toEqual({ group_key: "acme", id: "acme" });
      expect(group.tell({ source: "crm", at: 3, properties: {} })).toEqual(NOTHING);
    }
  });
});

describe("null", () => {
  const told = (nulls: "skip" | "set" | "unset") => {
    const group = createGroupStore(rulesFor({ segment: { nulls } }));
    group.tell({ at: 1, properties: { plan: "free", seats: 1 } });
    return { group, difference: group.tell({ at: 2, properties: { plan: null, seats: 1 } }) };
  };

  it("is skipped by default", () => {
    const { group, difference } = told("skip");
    expect(difference).toMatchObject({ set: {}, unset: [] });
    expect(group.properties()).toMatchObject({ plan: "free" });
  });

  it("is a value where the mapping says so", () => {
    const { group, difference } = told("set");
    expect(difference).toMatchObject({ set: { plan: null }, unset: [] });
    expect(group.tell({ at: 3, properties: { plan: null } })).toMatchObject({ set: {}, unset: [] });
  });

  it("removes where the mapping says so, once, and for an older value that comes late too", () => {
    const { group, difference } = told("unset");
    expect(difference).toMatchObject({ set: {}, unset: ["plan"] });
    expect(group.tell({ at: 3, properties: { plan: null } })).toMatchObject({ set: {}, unset: [] });
    expect(group.tell({ at: 1, properties: { plan: "old" } })).toMatchObject({ set: {}, stale: 1 });
    expect(group.tell({ at: 4, properties: { plan: "new" } })).toMatchObject({ set: { plan: "new" } });
  });

  it("removes nothing that never was there", () => {
    const group = createGroupStore(rulesFor({ segment: { nulls: "unset" } }));
    expect(group.tell({ at: 1, properties: { plan: null } })).toMatchObject({ set: { group_key: "acme" }, unset: [] });
  });
});

describe("volatile properties", () => {
  const rules = rulesFor({ segment: { volatile: ["*_modified", "n?"], prefix: "s_" } });

  it("are held back when nothing else is new, and sent along with the next that is", () => {
    const group = createGroupStore(rules);
    group.tell({ at: 1, properties: { plan: "free", last_modified: 1, n1: 1 } });
    expect(group.properties()).toMatchObject({ s_plan: "free", s_last_modified: 1, s_n1: 1 });
    expect(group.tell({ at: 2, properties: { plan: "free", last_modified: 2 } })).toMatchObject({ set: {} });
    expect(group.tell({ at: 3, properties: { plan: "free", last_modified: 3, n1: 3 } })).toMatchObject({ set: {} });
    const { set } = group.tell({ at: 4, properties: { plan: "pro" } });
    expect(set).toEqual({ s_plan: "pro", s_last_modified: 3, s_n1: 3 });
    expect(group.state()?.unsent).toEqual([]);
  });
});

describe("what never arrived", () => {
  it("is in the next difference, as it is by then, also when nothing else is new", () => {
    const group = createGroupStore(rulesFor({ segment: { nulls: "unset" } }));
    group.tell({ at: 1, properties: { plan: "free", seats: 1, city: "Bern" } });
    group.tell({ at: 2, properties: { plan: "pro" } });
    group.tell({ at: 3, properties: { city: null } });
    group.lose("group_key", "plan", "city");
    expect(group.tell({ at: 3, properties: { plan: "pro" } })).toMatchObject({
      set: { group_key: "acme", plan: "pro" },
      unset: ["city"],
    });
    expect(group.tell({ at: 3, properties: { plan: "pro" } })).toEqual(NOTHING);
  });

  it("of another source's key is the key again", () => {
    const group = createGroupStore(rulesFor({ segment: {}, crm: { keyProperty: "id" } }));
    group.tell({ source: "crm", at: 1, properties: {} });
    group.lose("id");
    expect(group.tell({ at: 2, properties: {} }).set).toEqual({ id: "acme", group_key: "acme" });
  });

  it("and is volatile waits for something else", () => {
    const group = createGroupStore(rulesFor({ segment: { volatile: ["seen"] } }));
    group.tell({ at: 1, properties: { seen: 1 } });
    group.lose("seen");
    expect(group.tell({ at: 2, properties: { seen: 1 } })).toMatchObject({ set: {} });
    expect(group.tell({ at: 3, properties: { plan: "pro" } }).set).toEqual({ seen: 1, plan: "pro" });
  });
});
