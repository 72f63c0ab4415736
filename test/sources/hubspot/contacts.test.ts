import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RowSource } from "../../../src/core/row-source.ts";
import { createHubspotRig, type HubspotRig, never, readAll } from "./rig.ts";

describe("the people of HubSpot's companies", () => {
  let rig: HubspotRig;
  let acme: string;
  const contacts = { names: ["email"], companyNames: ["external_id"] };
  const wanted = { required: ["name", "external_id"], wished: [], usual: [] };
  beforeEach(async () => {
    rig = await createHubspotRig();
    const { store } = rig.hubspot;
    acme = store.create({ name: "Acme", external_id: "acme" });
    store.create({ name: "Nobody's" });
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  function associate(count: number): void {
    const { store } = rig.hubspot;
    const ids = Array.from({ length: count }, (_, place) => String(500 + place));
    for (const id of ids) store.contacts.set(id, { email: `p${id}@acme.com` });
    store.associations.set(acme, new Set(ids));
  }

  const begin = () => rig.begin({ wanted, contacts });
  const people = async (rows: RowSource) => (await readAll(rows)).filter(({ payload }) => "contact" in payload);

  it("are not asked for unless that is wanted", async () => {
    associate(1);
    expect(await readAll(await rig.begin({ wanted }))).toHaveLength(2);
    expect(rig.hubspot.requests.filter((request) => request.includes("associations"))).toEqual([]);
  });

  it("come as rows of their own, with what the mapping reads of them and of their company", async () => {
    associate(1);
    expect(await people(await begin())).toEqual([
      {
        id: `contact:["${acme}","500",{"external_id":"acme"},{"email":"p500@acme.com"}]`,
        updatedAt: null,
        payload: {
          id: `contact:["${acme}","500",{"external_id":"acme"},{"email":"p500@acme.com"}]`,
          company: { id: acme, properties: { external_id: "acme" } },
          contact: { id: "500", properties: { email: "p500@acme.com" } },
        },
      },
    ]);
  });

  it("all come, also those of a company that has them on several pages", async () => {
    associate(1234);
    const found = await people(await begin());
    expect(new Set(found.map(({ id }) => id)).size).toBe(1234);
  });

  it("come again from the cursor of a page that has only some of them", async () => {
    associate(1234);
    const rows = await begin();
    const pages = [];
    for await (const page of rows.all(null, never)) pages.push(page);
    const [first] = pages;
    expect(first?.rows).toHaveLength(1000);
    expect(await readAll(rows, first?.after)).toHaveLength(1236);
  });

  it("end with their association, or with their address, and say whose they were", async () => {
    associate(3);
    const rows = await begin();
    const ids = (await people(rows)).map(({ id }) => id);
    const { store } = rig.hubspot;
    store.associations.get(acme)?.delete("500");
    store.contacts.set("501", { email: "new@acme.com" });
    const fates = (await rows.fates?.(ids, never)) ?? [];
    expect(fates.map(({ state }) => state)).toEqual(["gone", "gone", "live"]);
    expect(fates[0]).toMatchObject({
      payload: {
        company: { properties: { external_id: "acme" } },
        contact: { properties: { email: "p500@acme.com" } },
      },
    });
  });

  it("end when nobody asks for them any more", async () => {
    associate(1);
    const [person] = await people(await begin());
    const fates = await (await rig.begin({ wanted })).fates?.([person?.id ?? ""], never);
    expect(fates).toMatchObject([{ state: "gone" }]);
  });
});
