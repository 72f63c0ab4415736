import { describe, expect, it } from "vitest";
import { winnerOf } from "../../../src/core/attribution/properties.ts";
import { createGroupStore, rulesFor } from "./group-store.ts";

const byDefault = (value: number, byProperty: Readonly<Record<string, number>> = {}) => ({
  precedence: { default: value, byProperty },
});

describe("where sources differ", () => {
  const rules = rulesFor({ segment: byDefault(1, { plan: 9 }), crm: { ...byDefault(5), nulls: "unset" } });

  it("the one with the higher precedence counts, older or not, property by property", () => {
    const group = createGroupStore(rules);
    group.tell({ source: "crm", at: 1, properties: { name: "Acme Inc.", plan: "free" } });
    const { set } = group.tell({ source: "segment", at: 9, properties: { name: "acme", plan: "pro" } });
    expect(set).toEqual({ plan: "pro" });
    expect(group.properties()).toMatchObject({ name: "Acme Inc.", plan: "pro" });
  });

  it("a source removes only what it said itself, and the other's word counts again", () => {
    const group = createGroupStore(rules);
    group.tell({ source: "segment", at: 1, properties: { name: "acme", city: "Bern" } });
    group.tell({ source: "crm", at: 2, properties: { name: "Acme Inc.", city: null } });
    expect(group.properties()).toMatchObject({ name: "Acme Inc.", city: "Bern" });
    expect(group.tell({ source: "crm", at: 3, properties: { name: null } })).toMatchObject({
      set: { name: "acme" },
      unset: [],
    });
    expect(group.tell({ source: "crm", at: 4, properties: { name: "Acme AG" } }).set).toEqual({ name: "Acme AG" });
  });

  it("among equals the newer counts, and the one whose name is greater at one time", () => {
    const group = createGroupStore();
    group.tell({ source: "a", at: 2, properties: { x: 1 } });
    expect(group.tell({ source: "b", at: 1, properties: { x: 2 } }).set).toEqual({});
    expect(group.tell({ source: "b", at: 2, properties: { x: 3 } }).set).toEqual({ x: 3 });
    expect(winnerOf(group.state(), "x", {})).toMatchObject({ source: "b", value: 3, at: 2 });
  });

  it("a value said again counts as new where it brings back the source's word", () => {
    const group = createGroupStore();
    group.tell({ source: "a", at: 10, properties: { plan: "free" } });
    group.tell({ source: "b", at: 20, properties: { plan: "pro" } });
    expect(group.tell({ source: "a", at: 30, properties: { plan: "free" } }).set).toEqual({ plan: "free" });
    expect(group.tell({ source: "a", at: 40, properties: { plan: "free" } }).set).toEqual({});
    expect(group.tell({ source: "b", at: 35, properties: { plan: "pro" } }).set).toEqual({});
  });

  it("sources with prefixes of their own never meet", () => {
    const apart = rulesFor({ segment: {}, crm: { prefix: "crm_", nulls: "unset", ...byDefault(1, { plan: 7 }) } });
    const group = createGroupStore(apart);
    group.tell({ source: "segment", at: 1, properties: { plan: "free" } });
    group.tell({ source: "crm", at: 2, properties: { plan: "pro", name: "Acme" } });
    group.tell({ source: "crm", at: 3, properties: { plan: null } });
    expect(group.properties()).toEqual({ group_key: "acme", plan: "free", crm_name: "Acme" });
  });

  it("a prefixed source may say what another says without a prefix: precedence goes by its own name for it", () => {
    const rivals = rulesFor({ segment: byDefault(1), crm: { prefix: "crm_", ...byDefault(0, { plan: 7 }) } });
    const group = createGroupStore(rivals);
    group.tell({ source: "crm", at: 1, properties: { plan: "pro", name: "Acme" } });
    group.tell({ source: "segment", at: 2, properties: { crm_plan: "free", crm_name: "acme" } });
    expect(group.properties()).toMatchObject({ crm_plan: "pro", crm_name: "acme" });
  });

  it("they may be named like what every object has", () => {
    const group = createGroupStore();
    for (const [at, source] of ["constructor", "__proto__", "toString"].entries()) {
      expect(group.tell({ source, at: at + 1, properties: { x: at } }).set).toMatchObject({ x: at });
    }
    expect(group.tell({ source: "constructor", at: 1, properties: { x: 0 } }).set).toEqual({});
    expect(Object.keys(group.state()?.told.x ?? {})).toHaveLength(3);
  });
});
