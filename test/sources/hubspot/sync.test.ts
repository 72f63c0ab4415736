import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Action, addCompany, createActions, differencesBetween, keyOf } from "./companies.ts";
import { createWorld, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ALL: readonly Action[] = [
  "edit",
  "edit",
  "edit",
  "recalculate",
  "create",
  "archive",
  "restore",
  "erase",
  "merge",
];

describe("a HubSpot account and the groups of its companies", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  function fill(count: number): void {
    for (let place = 0; place < count; place++)
      addCompany(world.rig.hubspot.store, { name: `C${place}`, seats: `${place}` });
  }

  function passIndex(): void {
    world.rig.clock.pass(2 * HOUR_MS);
  }

  it("agree after the first run, which sends each of them once; the second sends nothing", async () => {
    fill(350);
    expect(await world.sync()).toMatchObject({ kind: "full", outcome: "complete", read: 350, changed: 350 });
    expect(differencesBetween(world.rig.hubspot.store, world.groups)).toEqual([]);
    expect(world.identifies).toEqual({ all: 350, idle: 0 });
    passIndex();
    expect(await world.sync()).toMatchObject({ kind: "changes", outcome: "complete", changed: 0, messages: 0 });
    expect(await world.sync({ isFull: true })).toMatchObject({ kind: "full", changed: 0, messages: 0 });
  });

  it("agree after each run although only what changed is read", async () => {
    fill(350);
    world.rig.hubspot.settings.indexLagMs = 7000;
    await world.sync();
    const { act } = createActions(world.rig.hubspot.store, ["edit", "edit", "create", "archive", "merge"]);
    for (let round = 0; round < 12; round++) {
      for (let step = 0; step < 10; step++) {
        act(((round * 7 + step * 3) % 11) / 11, ((round * 13 + step * 29) % 97) / 97);
        world.rig.clock.pass(1000);
      }
      world.rig.clock.pass(2 * MINUTE_MS);
      const { kind, outcome } = await world.sync({ acceptsRemovals: true });
      expect([kind, outcome]).toEqual(["changes", "complete"]);
    }
    passIndex();
    expect(await world.sync({ acceptsRemovals: true })).toMatchObject({ kind: "changes", outcome: "complete" });
    expect(differencesBetween(world.rig.hubspot.store, world.groups)).toEqual([]);
    expect(world.identifies.idle).toBe(0);
  });

  it("agree with the next run on what the search did not know yet: windows overlap, and none reaches up to now", async () => {
    fill(60);
    await world.sync();
    world.rig.clock.pass(HOUR_MS);
    await world.sync();
    const { store, settings } = world.rig.hubspot;
    settings.indexLagMs = 5 * MINUTE_MS;
    const [company] = store.live();
    store.edit(company?.id ?? "", { name: "Another" });
    world.rig.clock.pass(2 * MINUTE_MS);
    const first = await world.sync();
    expect(first).toMatchObject({ kind: "changes", changed: 0 });
    expect(world.rig.clock.now() - (first.window?.to ?? 0)).toBeGreaterThanOrEqual(MINUTE_MS);
    world.rig.clock.pass(6 * MINUTE_MS);
    expect(await world.sync()).toMatchObject({ kind: "changes", changed: 1 });
    expect(differencesBetween(store, world.groups)).toEqual([]);
  });

  it("agree on values that are calculated, restored and erased once all are read", async () => {
    fill(300);
    await world.sync();
    const { store } = world.rig.hubspot;
    const [calculated, archived, erased] = store.live();
    const erasedKey = erased ? keyOf(erased) : "";
    store.recalculate(calculated?.id ?? "", { seats: "4711" });
    store.archive(archived?.id ?? "");
    store.erase(erased?.id ?? "");
    passIndex();
    await world.sync();
    expect(world.groups.get(archived ? keyOf(archived) : "")).toMatchObject({ crm_deleted: true });
    store.restore(archived?.id ?? "");
    await world.sync({ isFull: true });
    expect(differencesBetween(world.rig.hubspot.store, world.groups)).toEqual([]);
    expect(world.groups.get(erasedKey)).toMatchObject({ crm_deleted: true });
    expect(world.groups.get(archived ? keyOf(archived) : "")).toMatchObject({ crm_deleted: false });
  });

  it.each([
    ["with keys of the product", true],
    ["known by HubSpot's ids only", false],
  ])("of merged companies %s: the group that stays takes over, the other says where it went", async (_, hasKeys) => {
    const { store } = world.rig.hubspot;
    fill(60);
    const add = (name: string) => store.create({ name, seats: "1", ...(hasKeys ? { external_id: name } : {}) });
    const [one, two] = [add("one"), add("two")];
    await world.sync();
    const keys = hasKeys ? ["one", "two"] : [`hubspot:${one}`, `hubspot:${two}`];
    const id = store.merge(one, two);
    passIndex();
    await world.sync();
    const key = hasKeys ? "one" : `hubspot:${id}`;
    expect(differencesBetween(world.rig.hubspot.store, world.groups)).toEqual([]);
    for (const gone of keys.filter((other) => other !== key)) {
      expect(world.groups.get(gone)).toMatchObject({ merged_into: key });
    }
    expect(world.groups.get(key)?.merged_into).toBeUndefined();
    await world.sync({ isFull: true });
    expect(world.groups.get(key)).toMatchObject({ crm_deleted: false });
    expect(world.identifies.idle).toBe(0);
  });

  it("do not lose theirs when very many vanish at once: a lost scope looks the same", async () => {
    fill(300);
    await world.sync();
    const { store } = world.rig.hubspot;
    for (const { id } of store.live().slice(0, 100)) store.erase(id);
    await expect(world.sync({ isFull: true })).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    expect([...world.groups.values()].filter(({ crm_deleted }) => crm_deleted === true)).toEqual([]);
    await world.sync({ isFull: true, acceptsRemovals: true });
    expect([...world.groups.values()].filter(({ crm_deleted }) => crm_deleted === true)).toHaveLength(100);
  });

  it("agree after a day's limit was reached in the middle, and go on where it was", async () => {
    fill(3000);
    world.rig.hubspot.settings.daily = 15;
    await expect(world.sync()).rejects.toMatchObject({ code: "SOURCE_LIMITED" });
    expect(world.groups.size).toBeGreaterThan(500);
    world.rig.clock.pass(24 * HOUR_MS);
    world.rig.hubspot.settings.daily = 250_000;
    expect(await world.sync()).toMatchObject({ outcome: "complete", resumed: 1, read: 3000 });
    expect(differencesBetween(world.rig.hubspot.store, world.groups)).toEqual([]);
  });

  it("have the people of companies as members, as long as HubSpot says so", async () => {
    await using another = await createWorld({ contacts: { names: ["email"], companyNames: ["external_id"] } });
    const { store } = another.rig.hubspot;
    const company = store.create({ name: "Acme", seats: "1", external_id: "acme" });
    for (const name of ["ada", "bob"]) store.contacts.set(name, { email: `${name}@acme.com` });
    store.associations.set(company, new Set(["ada", "bob"]));
    await another.sync();
    expect(await another.members("acme")).toEqual(["ada@acme.com", "bob@acme.com"]);
    store.associations.get(company)?.delete("bob");
    store.contacts.set("ada", { email: "ada@acme.example" });
    another.rig.clock.pass(HOUR_MS);
    await another.sync({ isFull: true });
    expect(await another.members("acme")).toEqual(["ada@acme.example"]);
    store.edit(company, { external_id: "acme-2" });
    await another.sync({ isFull: true });
    expect([await another.members("acme"), await another.members("acme-2")]).toEqual([[], ["ada@acme.example"]]);
  });

  it("agree in the end, whatever happens to companies meanwhile and wherever runs are stopped", async () => {
    const steps = fc.array(
      fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.double({ min: 0, max: 0.999, noNaN: true })),
      {
        minLength: 20,
        maxLength: 60,
      },
    );
    const stops = fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 3, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(steps, stops, async (acts, stopAfter) => {
        await using another = await createWorld();
        const { rig } = another;
        const { store, settings } = rig.hubspot;
        for (let place = 0; place < 420; place++) addCompany(store, { name: `C${place}`, seats: `${place}` });
        settings.indexLagMs = 5000;
        const { act, erased } = createActions(store, ALL);
        const script = [...acts];
        settings.interfere = () => {
          const [step] = script.splice(0, 1);
          if (step) act(...step);
          return null;
        };
        for (const after of stopAfter) {
          await another.sync({}, after);
          rig.clock.pass(10 * MINUTE_MS);
        }
        while (script.length > 0) act(...(script.shift() ?? [0, 0]));
        settings.interfere = () => null;
        rig.clock.pass(2 * HOUR_MS);
        await another.sync({ acceptsRemovals: true });
        await another.sync({ isFull: true, acceptsRemovals: true });
        expect(differencesBetween(store, another.groups)).toEqual([]);
        const live = new Set(store.live().map(keyOf));
        for (const key of erased) {
          const group = another.groups.get(key);
          if (group && !live.has(key)) expect({ key, ...group }).toMatchObject({ crm_deleted: true });
        }
        expect(another.identifies.idle).toBe(0);
        expect(await another.sync({ isFull: true })).toMatchObject({ changed: 0, messages: 0 });
      }),
      { numRuns: 5 },
    );
  });
});
