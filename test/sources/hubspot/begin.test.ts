import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHubspotRig, type HubspotRig, never, readAll } from "./rig.ts";

describe("before anything of a run, HubSpot", () => {
  let rig: HubspotRig;
  beforeEach(async () => {
    rig = await createHubspotRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const requiring = (...required: string[]) => ({ wanted: { required, wished: [], usual: [] } });

  it("tells its time, by which windows are reckoned: its clock may be another", async () => {
    rig.hubspot.settings.skewMs = -7_200_000;
    const { at } = await rig.open().begin(never, null);
    expect(Math.abs(at - rig.hubspot.now())).toBeLessThan(2000);
  });

  it("is found to lack a property that is needed, and what may be meant is told", async () => {
    await expect(rig.open(requiring("external_idd", "seats")).begin(never, null)).rejects.toMatchObject({
      code: "SOURCE_CHANGED",
      message: 'HubSpot has no company property "external_idd" (is "external_id" meant?).',
    });
  });

  it("is found to have archived it", async () => {
    const { properties } = rig.hubspot.store;
    properties.set("plan", { name: "plan", type: "string", fieldType: "text", archived: true });
    await expect(rig.open(requiring("plan")).begin(never, null)).rejects.toMatchObject({
      message: 'HubSpot has no company property "plan" (it is archived).',
    });
  });

  it("may lack a property that the shipped mapping reads: a warning tells", async () => {
    const rows = rig.open({ wanted: { required: [], wished: ["account_id"], usual: ["also_not_there"] } });
    expect((await rows.begin(never, null)).warnings).toEqual([
      'HubSpot has no company property "account_id", which the mapping reads.',
    ]);
  });

  it("is read again as a whole when a property is of another type than at the last run, and that is told once", async () => {
    const { properties } = rig.hubspot.store;
    const rows = rig.open();
    const first = await rows.begin(never, null);
    expect(first).toMatchObject({ saysOtherwise: false, warnings: [] });
    properties.set("seats", { name: "seats", type: "string", fieldType: "text" });
    const second = await rows.begin(never, first.remembers ?? null);
    expect(second).toMatchObject({
      saysOtherwise: true,
      warnings: ["The property seats was number and is string: all companies are read again."],
    });
    expect(await rows.begin(never, second.remembers ?? null)).toMatchObject({ saysOtherwise: false, warnings: [] });
  });

  it("is read again when labels are used and one of them is another", async () => {
    const { properties, create } = rig.hubspot.store;
    const stage = (label: string) =>
      properties.set("stage", {
        name: "stage",
        type: "enumeration",
        fieldType: "select",
        options: [{ value: "s1", label }],
      });
    stage("Customer");
    create({ name: "Acme", stage: "s1" });
    const rows = rig.open({ ...requiring("stage"), usesLabels: true });
    const { remembers = null } = await rows.begin(never, null);
    expect((await readAll(rows))[0]?.payload.properties).toMatchObject({ stage: "Customer" });
    stage("Client");
    expect(await rows.begin(never, remembers)).toMatchObject({ saysOtherwise: true });
    expect((await readAll(rows))[0]?.payload.properties).toMatchObject({ stage: "Client" });
  });

  it("tells whose e-mail address an owner has, where that is asked for", async () => {
    const { store } = rig.hubspot;
    for (const name of ["ada", "bob", "eve"]) store.owners.set(name, `${name}@acme.com`);
    store.properties.set("hubspot_owner_id", { name: "hubspot_owner_id", type: "enumeration", fieldType: "select" });
    store.create({ name: "Acme", hubspot_owner_id: "eve" });
    const rows = await rig.begin({ ...requiring("hubspot_owner_id"), namesOwners: true });
    expect((await readAll(rows))[0]?.payload).toMatchObject({ ownerEmail: "eve@acme.com" });
  });

  it("does without the time zone of the account where the key may not ask for it", async () => {
    rig.hubspot.settings.interfere = ({ path }) =>
      path.startsWith("/account-info") ? { status: 403, body: { message: "no" } } : null;
    await expect(rig.open().begin(never, null)).resolves.toMatchObject({ warnings: [] });
  });

  it("values that are not of their property's type are told once, with their number and where to look", async () => {
    const { store } = rig.hubspot;
    for (const seats of ["12", "N/A", "about 50", "1,000"]) store.create({ name: "Acme", seats });
    const rows = await rig.begin();
    const warnings: string[] = [];
    const seats: unknown[] = [];
    for await (const page of rows.all(null, never)) {
      warnings.push(...(page.warnings ?? []));
      for (const { payload } of page.rows) seats.push(Object(payload.properties).seats);
    }
    expect(seats).toEqual([12, "N/A", "about 50", 1000]);
    expect(warnings).toEqual([
      'seats: "N/A" is no number: https://app.hubspot.com/contacts/1/record/0-2/8675309002. 2 values like it stay text.',
    ]);
  });
});
