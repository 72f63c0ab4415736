/** Whichever way all companies are read, groups say the same in the end, and nothing is sent that was known. */

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredCompany } from "../../fakes/hubspot/store.ts";
import { type Action, addCompany, createActions, differencesBetween, keyOf } from "./companies.ts";
import { BY_EXPORT } from "./export-rig.ts";
import { createWorld, type World } from "./world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The first of an export are read from the API too: from here on nobody looks. */
const FAR = 40;
const FULL = { isFull: true } as const;
const ALL: readonly Action[] = ["edit", "edit", "recalculate", "create", "archive", "restore", "erase", "merge"];

describe("groups of companies that are read by exports", () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld(BY_EXPORT);
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const hubspot = () => world.rig.hubspot;
  const same = () => expect(differencesBetween(hubspot().store, world.groups)).toEqual([]);
  function fill(count: number): void {
    for (let place = 0; place < count; place++) addCompany(hubspot().store, { name: `C${place}`, seats: `${place}` });
  }
  /** As the export sees it, whatever is edited from now on. */
  function freeze(): void {
    const before = new Map(
      hubspot()
        .store.live()
        .map((company) => [company.id, { ...company }]),
    );
    hubspot().exports.settings.sees = ({ id }: StoredCompany) => before.get(id) ?? null;
  }

  it("are what they are when they are listed: the other way after the one sends nothing", async () => {
    fill(350);
    expect(await world.sync()).toMatchObject({ kind: "full", outcome: "complete", read: 350, messages: 350 });
    same();
    for (const fullBy of ["list", "export", "list"] as const) {
      world.rig.clock.pass(3 * HOUR_MS);
      expect(await world.sync({ ...FULL, fullBy })).toMatchObject({ kind: "full", read: 350, changed: 0, messages: 0 });
    }
    expect(hubspot().exports.tasks).toHaveLength(2);
    expect(world.identifies).toEqual({ all: 350, idle: 0 });
  });

  it("get what changed while the export was made and read with the next run", async () => {
    fill(350);
    const [edited, archived] = hubspot().store.live().slice(FAR);
    hubspot().settings.interfere = ({ path }) => {
      if (!path.endsWith("/status")) return null;
      hubspot().settings.interfere = () => null;
      hubspot().store.edit(edited?.id ?? "", { name: "Edited meanwhile" });
      hubspot().store.archive(archived?.id ?? "");
      addCompany(hubspot().store, { name: "New meanwhile", seats: "1" });
      return null;
    };
    await world.sync();
    world.rig.clock.pass(2 * HOUR_MS);
    expect(await world.sync()).toMatchObject({ kind: "changes", outcome: "complete" });
    same();
    expect(world.identifies.idle).toBe(0);
  });

  it("do not go back to what an export says that does not know yet what is known already", async () => {
    fill(60);
    await world.sync();
    world.rig.clock.pass(3 * HOUR_MS);
    freeze();
    const [one, gone] = hubspot().store.live().slice(FAR);
    hubspot().store.edit(one?.id ?? "", { name: "Newer" });
    hubspot().store.archive(gone?.id ?? "");
    world.rig.clock.pass(20 * MINUTE_MS);
    await world.sync();
    const told = world.identifies.all;
    expect(world.groups.get(one ? keyOf(one) : "")).toMatchObject({ name: "Newer" });
    world.rig.clock.pass(10 * MINUTE_MS);
    expect(await world.sync(FULL)).toMatchObject({ kind: "full", outcome: "complete", changed: 0, removed: 0 });
    same();
    expect(world.identifies).toEqual({ all: told, idle: 0 });
  });

  it("believe an export on what was calculated anew, which no time of modification tells", async () => {
    fill(60);
    await world.sync();
    world.rig.clock.pass(3 * HOUR_MS);
    const [one] = hubspot().store.live().slice(FAR);
    for (const seats of ["4711", "4712"]) {
      hubspot().store.recalculate(one?.id ?? "", { seats });
      world.rig.clock.pass(3 * HOUR_MS);
      expect(await world.sync(FULL)).toMatchObject({ changed: 1 });
      same();
    }
  });

  it("stay where very many are not in the export, or it lacks some of what HubSpot counted", async () => {
    fill(300);
    await world.sync();
    world.rig.clock.pass(3 * HOUR_MS);
    const { settings } = hubspot().exports;
    settings.sees = (company) => (Number(company.id) % 3 === 0 ? null : company);
    await expect(world.sync(FULL)).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    settings.countsRows = () => 300;
    await expect(world.sync(FULL)).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    settings.sees = (company) => company;
    expect(await world.sync(FULL)).toMatchObject({ outcome: "complete", changed: 0, removed: 0 });
    same();
  });

  it("of companies that an export does not have are asked for one by one", async () => {
    fill(300);
    await world.sync();
    world.rig.clock.pass(3 * HOUR_MS);
    const [left, erased] = hubspot().store.live().slice(FAR);
    hubspot().store.recalculate(left?.id ?? "", { seats: "7" });
    hubspot().store.erase(erased?.id ?? "");
    hubspot().exports.settings.sees = (company) => (company.id === left?.id ? null : company);
    expect(await world.sync(FULL)).toMatchObject({ outcome: "complete", removed: 1 });
    same();
    expect(world.groups.get(erased ? keyOf(erased) : "")).toMatchObject({ crm_deleted: true });
  });

  it("have the people of companies as members, as long as HubSpot says so", async () => {
    const contacts = { names: ["email"], companyNames: ["external_id"] };
    await using another = await createWorld({ ...BY_EXPORT, contacts });
    const { store } = another.rig.hubspot;
    const company = store.create({ name: "Acme", seats: "1", external_id: "acme" });
    for (const name of ["ada", "bob"]) store.contacts.set(name, { email: `${name}@acme.com` });
    store.associations.set(company, new Set(["ada", "bob"]));
    await another.sync();
    expect(await another.members("acme")).toEqual(["ada@acme.com", "bob@acme.com"]);
    store.associations.get(company)?.delete("bob");
    another.rig.clock.pass(HOUR_MS);
    await another.sync(FULL);
    expect(await another.members("acme")).toEqual(["ada@acme.com"]);
  });

  it("agree in the end, whatever happens to companies meanwhile, wherever runs are stopped and whichever way the next goes", async () => {
    const share = fc.double({ min: 0, max: 0.999, noNaN: true });
    const steps = fc.array(fc.tuple(share, share), { minLength: 20, maxLength: 60 });
    const stop = fc.record({ after: fc.integer({ min: 1, max: 25 }), isFull: fc.boolean(), isList: fc.boolean() });
    const stops = fc.array(stop, { minLength: 3, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(steps, stops, fc.boolean(), async (acts, runs, isZip) => {
        await using another = await createWorld(BY_EXPORT);
        const { rig } = another;
        const { store, settings, exports } = rig.hubspot;
        for (let place = 0; place < 420; place++) addCompany(store, { name: `C${place}`, seats: `${place}` });
        settings.indexLagMs = 5000;
        if (isZip) exports.settings.rowsPerFile = 150;
        const { act, erased } = createActions(store, ALL);
        const script = [...acts];
        settings.interfere = () => {
          const [step] = script.splice(0, 1);
          if (step) act(...step);
          return null;
        };
        for (const { after, isFull, isList } of runs) {
          await another.sync({ isFull, ...(isList ? { fullBy: "list" } : {}), acceptsRemovals: true }, after);
          rig.clock.pass(10 * MINUTE_MS);
        }
        while (script.length > 0) act(...(script.shift() ?? [0, 0]));
        settings.interfere = () => null;
        rig.clock.pass(2 * HOUR_MS);
        await another.sync({ acceptsRemovals: true });
        await another.sync({ ...FULL, acceptsRemovals: true });
        expect(differencesBetween(store, another.groups)).toEqual([]);
        const live = new Set(store.live().map(keyOf));
        for (const key of erased) {
          const group = another.groups.get(key);
          if (group && !live.has(key)) expect({ key, ...group }).toMatchObject({ crm_deleted: true });
        }
        expect(another.identifies.idle).toBe(0);
        for (const fullBy of ["list", "export"] as const) {
          expect(await another.sync({ ...FULL, fullBy })).toMatchObject({ changed: 0, messages: 0 });
        }
      }),
      { numRuns: 8 },
    );
  });
});
