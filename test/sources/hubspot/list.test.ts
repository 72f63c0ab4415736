import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCompanies, createHubspotRig, type HubspotRig, idsOf, never, readAll } from "./rig.ts";

describe("all companies of HubSpot", () => {
  let rig: HubspotRig;
  beforeEach(async () => {
    rig = await createHubspotRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  it("come page by page, each once, typed, with what a mapping reads", async () => {
    const ids = createCompanies(rig.hubspot, 250);
    const rows = await readAll(await rig.begin());
    expect(rows.map(({ id }) => id)).toEqual(ids);
    const createdAt = new Date(rig.hubspot.store.get(ids[7] ?? "")?.createdAt ?? 0).toISOString();
    expect(rows[7]).toEqual({
      id: ids[7],
      updatedAt: Date.parse(createdAt),
      payload: {
        id: ids[7],
        properties: {
          name: "Company 7",
          domain: null,
          seats: 7,
          hs_object_id: Number(ids[7]),
          hs_merged_object_ids: null,
        },
        mergedIds: [],
        archived: false,
        createdAt,
        url: `https://app.hubspot.com/contacts/1/record/0-2/${ids[7]}`,
      },
    });
  });

  it("do not end with an empty page, or a short one", async () => {
    const ids = createCompanies(rig.hubspot, 350);
    for (const id of ids.slice(40, 230)) rig.hubspot.store.erase(id);
    const pages: number[] = [];
    const rows = await rig.begin();
    for await (const page of rows.all(null, never)) pages.push(page.rows.length);
    expect(pages).toEqual([40, 0, 70, 50]);
  });

  it("go on after the cursor of any page", async () => {
    const ids = createCompanies(rig.hubspot, 310);
    const rows = await rig.begin();
    let before = 0;
    for await (const page of rows.all(null, never)) {
      before += page.rows.length;
      expect((await readAll(rows, page.after)).map(({ id }) => id)).toEqual(ids.slice(before));
    }
  });

  it("have all of 900 properties, although one request cannot name them", async () => {
    const names = Array.from({ length: 900 }, (_, place) => `a_property_with_a_long_name_${place}`);
    for (const name of names) rig.hubspot.store.properties.set(name, { name, type: "number", fieldType: "number" });
    createCompanies(rig.hubspot, 3);
    const id = rig.hubspot.store.create(Object.fromEntries(names.map((name, place) => [name, String(place)])));
    const rows = await readAll(await rig.begin({ wanted: { required: names, wished: [], usual: [] } }));
    expect(Object.values(rows.find((row) => row.id === id)?.payload.properties ?? {}).slice(0, 900)).toEqual(
      names.map((_, place) => place),
    );
    // At 16,200 characters it would be refused.
    expect(Math.max(...rig.hubspot.requests.map((request) => request.length))).toBeLessThan(13_000);
  });

  it("that change between the requests for one page are read once more, whole", async () => {
    const { store, settings } = rig.hubspot;
    const id = store.create({ name: "old", domain: "old.example", seats: "1" });
    settings.interfere = ({ method, path, query }) => {
      const isSecondChunk =
        method === "GET" && path.endsWith("/companies") && query.get("properties")?.includes("seats");
      if (isSecondChunk) store.edit(id, { name: "new", domain: "new.example", seats: "2" });
      return null;
    };
    const [row] = await readAll(await rig.begin({ maxNameBytes: 20 }));
    expect(row?.payload.properties).toMatchObject({ name: "new", domain: "new.example", seats: 2 });
  });

  it("are asked for with fewer properties at once where the address is too long", async () => {
    createCompanies(rig.hubspot, 3);
    rig.hubspot.settings.interfere = ({ path, query }) =>
      path.endsWith("/companies") && (query.get("properties") ?? "").length > 600 ? TOO_LONG : null;
    const names = Array.from({ length: 60 }, (_, place) => `a_property_with_a_long_name_${place}`);
    for (const name of names) rig.hubspot.store.properties.set(name, { name, type: "string", fieldType: "text" });
    const rows = await readAll(await rig.begin({ wanted: { required: names, wished: [], usual: [] } }));
    expect(rows).toHaveLength(3);
    expect(Object.keys(rows[0]?.payload.properties ?? {})).toHaveLength(62);
  });

  it("edited behind the cursor come by their time of modification, which lies after the begin of the run", async () => {
    const { store, settings, requests } = rig.hubspot;
    const ids = createCompanies(rig.hubspot, 250);
    const rows = rig.open();
    const { at } = await rows.begin(never, null);
    settings.interfere = () => {
      if (requests.length === 5) store.edit(ids[0] ?? "", { name: "behind" });
      return null;
    };
    await readAll(rows);
    rig.clock.pass(3_600_000);
    const window = { from: at - rows.traits.lagMs, to: rig.clock.now() - rows.traits.lagMs };
    const found: string[] = [];
    for await (const page of rows.changed?.(window, null, never) ?? []) found.push(...idsOf(page.rows));
    expect(found).toContain(ids[0]);
  });

  it("stop, without an error, when the signal aborts", async () => {
    createCompanies(rig.hubspot, 250);
    const rows = await rig.begin();
    const stop = new AbortController();
    const pages: number[] = [];
    for await (const page of rows.all(null, stop.signal)) {
      pages.push(page.rows.length);
      stop.abort();
    }
    expect(pages).toEqual([100]);
  });
});

const TOO_LONG = { status: 414, body: "<html>414 Request-URI Too Large</html>" };
