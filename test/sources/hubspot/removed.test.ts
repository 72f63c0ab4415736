import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Fate } from "../../../src/core/row-source.ts";
import { createCompanies, createHubspotRig, type HubspotRig, never, readAll, readRemoved } from "./rig.ts";

describe("companies that HubSpot lists no more", () => {
  let rig: HubspotRig;
  beforeEach(async () => {
    rig = await createHubspotRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const stateOf = (fates: readonly Fate[]) => Object.fromEntries(fates.map(({ id, state }) => [id, state]));

  it("are archived, merged or gone, or are back", async () => {
    const [back = "", archived = "", one = "", two = "", gone = ""] = createCompanies(rig.hubspot, 5);
    const { store } = rig.hubspot;
    store.archive(archived);
    const archivedAt = rig.clock.now();
    const survivor = store.merge(one, two);
    store.erase(gone);
    rig.clock.pass(1000);
    const rows = await rig.begin();
    const fates = (await rows.fates?.([back, archived, one, two, gone], never)) ?? [];
    expect(stateOf(fates)).toEqual({ [back]: "live", [archived]: "archived", [one]: "merged", [two]: "merged" });
    expect(fates).toContainEqual({ id: archived, state: "archived", at: archivedAt, into: null });
    expect(fates).toContainEqual({ id: two, state: "merged", at: null, into: survivor });
    expect(fates.find(({ state }) => state === "live")).toMatchObject({
      row: { payload: { properties: { seats: 0 } } },
    });
  });

  it("are never taken for the company they were merged into, which batch reads give instead", async () => {
    const [one = "", two = ""] = createCompanies(rig.hubspot, 2);
    rig.hubspot.store.merge(one, two);
    rig.clock.pass(1000);
    const rows = await rig.begin();
    expect(stateOf((await rows.fates?.([one], never)) ?? [])).toEqual({ [one]: "merged" });
  });

  it("were merged into the last of a row of companies", async () => {
    const [one = "", two = "", three = ""] = createCompanies(rig.hubspot, 3);
    const { store } = rig.hubspot;
    const last = store.merge(store.merge(one, two), three);
    rig.clock.pass(1000);
    const rows = await rig.begin();
    expect(await rows.fates?.([one], never)).toEqual([{ id: one, state: "merged", at: null, into: last }]);
  });

  it("are known as merged although the search does not know it yet, if the list gave the one that stays", async () => {
    rig.hubspot.settings.indexLagMs = 600_000;
    const [one = "", two = ""] = createCompanies(rig.hubspot, 2);
    rig.hubspot.store.merge(one, two);
    const rows = await rig.begin();
    await readAll(rows);
    expect(stateOf((await rows.fates?.([one, two], never)) ?? [])).toEqual({ [one]: "merged", [two]: "merged" });
  });

  it("ask for all merges once in a run, however many vanished", async () => {
    const ids = createCompanies(rig.hubspot, 30);
    for (const id of ids) rig.hubspot.store.erase(id);
    rig.clock.pass(1000);
    const rows = await rig.begin();
    for (const id of ids) await rows.fates?.([id], never);
    expect(rig.hubspot.requests.filter((request) => request.endsWith("/search"))).toHaveLength(1);
  });

  it("are listed when they are asked for: archived ones with their time, merged ones with the one that stays", async () => {
    const ids = createCompanies(rig.hubspot, 270);
    const { store } = rig.hubspot;
    for (const id of ids.slice(0, 120)) store.archive(id);
    const survivors = Array.from({ length: 60 }, (_, place) =>
      store.merge(ids[130 + 2 * place] ?? "", ids[131 + 2 * place] ?? ""),
    );
    rig.clock.pass(1000);
    const removed = await readRemoved(await rig.begin());
    expect(removed.filter(({ state }) => state === "archived")).toHaveLength(120);
    expect(removed.filter(({ state }) => state === "merged")).toHaveLength(120);
    expect(removed).toContainEqual({ id: ids[131], state: "merged", at: null, into: survivors[0] });
  });

  it("of merges only the recent ones are asked for", async () => {
    const [one = "", two = "", three = "", four = ""] = createCompanies(rig.hubspot, 4);
    rig.hubspot.store.merge(one, two);
    rig.clock.pass(3_600_000);
    const since = rig.clock.now();
    rig.hubspot.store.merge(three, four);
    rig.clock.pass(1000);
    const removed = await readRemoved(await rig.begin(), since);
    expect(removed.map(({ id }) => id)).toEqual([three, four]);
  });

  it("go on after the cursor of any page", async () => {
    const ids = createCompanies(rig.hubspot, 500);
    for (const id of ids.slice(0, 220)) rig.hubspot.store.archive(id);
    for (let at = 230; at < 480; at += 2) rig.hubspot.store.merge(ids[at] ?? "", ids[at + 1] ?? "");
    rig.clock.pass(1000);
    const rows = await rig.begin();
    const all = await readRemoved(rows);
    let before = 0;
    for await (const page of rows.removed?.(null, null, never) ?? []) {
      before += page.removals.length;
      const rest = [];
      for await (const later of rows.removed?.(null, page.after, never) ?? []) rest.push(...later.removals);
      expect(rest).toEqual(before === all.length ? rest : all.slice(before));
    }
    expect(before).toBe(470);
  });
});
