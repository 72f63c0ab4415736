/** A row of an export says what the same row says when it is listed, however the export writes it. */

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readExported, readListed, requestsSince } from "./export-rig.ts";
import { createCompanies, createHubspotRig, type HubspotRig } from "./rig.ts";

const HOUR_MS = 3_600_000;

describe("companies of an export", () => {
  let rig: HubspotRig;
  beforeEach(async () => {
    rig = await createHubspotRig();
    const define = (name: string, type: string, fieldType: string, options: readonly string[] = []) =>
      rig.hubspot.store.properties.set(name, {
        name,
        type,
        fieldType,
        options: options.map((value) => ({ value, label: `Label of ${value}` })),
      });
    define("founded", "date", "date");
    define("renewal", "datetime", "date");
    define("is_customer", "bool", "booleancheckbox");
    define("tier", "enumeration", "select", ["a", "b"]);
    define("regions", "enumeration", "checkbox", ["emea", "apac"]);
    define("phone", "phone_number", "phonenumber");
    define("notes", "string", "textarea");
    define("hubspot_owner_id", "enumeration", "select");
    rig.hubspot.store.owners.set("77", "ada@acme.com");
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const NAMES = ["domain", "seats", "founded", "renewal", "is_customer", "tier", "regions", "phone", "notes"];
  const WANTED = { required: ["name"], wished: [], usual: [...NAMES, "hubspot_owner_id", "createdate"] };
  const OPTIONS = { wanted: WANTED, namesOwners: true };

  /** Both ways, and that they agree. */
  async function expectSame(options = {}) {
    const listed = await readListed(rig, { ...OPTIONS, ...options });
    const exported = await readExported(rig, { ...OPTIONS, ...options });
    expect(exported.rows).toEqual(listed);
    return exported;
  }

  /** Of every kind of property one; what is rarely in a value is in few. */
  function fill(count: number): void {
    for (let place = 0; place < count; place++) {
      rig.clock.pass(61_001);
      rig.hubspot.store.create({
        name: `Company "${place}", Inc.`,
        seats: String(place * 1000),
        founded: "2011-02-28",
        renewal: new Date(rig.clock.now()).toISOString(),
        is_customer: place % 2 ? "true" : "",
        tier: place % 3 ? "a" : null,
        regions: place % 3 ? "emea;apac" : "",
        phone: place % 50 === 49 ? "+49 30 1234" : "030 1234",
        notes: place % 50 === 49 ? "two\r\nlines" : "one line",
        hubspot_owner_id: place % 2 ? "77" : null,
      });
    }
    rig.clock.pass(2 * HOUR_MS);
  }

  it("say the same as those of the list, whatever is in them and however the file is packed", async () => {
    const text = fc.string({
      unit: fc.constantFrom(..."a\"',;=+-@ \t\r\n\ufeffäß漢🦔0".split(/(?:)/u)),
      maxLength: 12,
    });
    const value = fc.oneof(text, fc.constantFrom(null, "", "N/A", "1,234.5", "17", "1e999", "true", "1653696000000"));
    const names = [...NAMES, "name", "hubspot_owner_id"];
    const company = fc.record(Object.fromEntries(names.map((name) => [name, value])));
    const packing = fc.record({
      rowsPerFile: fc.constantFrom(4, 1_000_000),
      isGzipped: fc.boolean(),
      hasByteOrderMark: fc.boolean(),
      lineEnd: fc.constantFrom("\n" as const, "\r\n" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(company, { maxLength: 120, size: "max" }), packing, async (companies, form) => {
        for (const { id } of rig.hubspot.store.live()) rig.hubspot.store.erase(id);
        for (const properties of companies) rig.hubspot.store.create(properties);
        Object.assign(rig.hubspot.exports.settings, form);
        rig.clock.pass(2 * HOUR_MS);
        await expectSame({ usesLabels: companies.length % 2 === 0 });
      }),
      { numRuns: 15 },
    );
  });

  it("take few requests, however many there are", async () => {
    fill(3000);
    const before = rig.hubspot.requests.length;
    const { warnings } = await readExported(rig, OPTIONS);
    expect(warnings).toEqual([]);
    // The request, states, and a few companies of each kind of value from the API; owners are asked for before.
    const made = requestsSince(rig, before).filter((request) => !request.includes("/owners/"));
    expect(made.length).toBeLessThan(20);
    expect(rig.hubspot.downloads).toHaveLength(1);
    const listed = await readListed(rig, OPTIONS);
    expect((await readExported(rig, OPTIONS)).rows).toEqual(listed);
  });

  it("ask for names and values, and for no more columns than are read", async () => {
    createCompanies(rig.hubspot, 1);
    await readExported(rig);
    expect(rig.hubspot.exports.tasks[0]?.names).toEqual([
      "hs_object_id",
      "name",
      "domain",
      "seats",
      "hs_merged_object_ids",
      "hs_lastmodifieddate",
      "createdate",
    ]);
  });

  const minutes = (text: string) => text.slice(0, 16).replace("T", " ");
  it.each([
    [
      "times to the minute",
      "createdate",
      (name: string, text: string) => (name === "createdate" ? minutes(text) : text),
    ],
    [
      "times of the modification to the minute",
      "hs_lastmodifieddate",
      (name: string, text: string) => (name === "hs_lastmodifieddate" ? minutes(text) : text),
    ],
    [
      "labels for options",
      "tier",
      (name: string, text: string) => (name === "tier" && text ? `Label of ${text}` : text),
    ],
    [
      "numbers for people",
      "seats",
      (name: string, text: string) => (name === "seats" && text ? `${text} seats` : text),
    ],
    ["a guard against formulas", "phone", (_: string, text: string) => (/^[+=-]/.test(text) ? ` ${text}` : text)],
    ["other line ends", "notes", (_: string, text: string) => text.replaceAll("\r\n", "\n")],
    ["nothing of one property", "regions", (name: string, text: string) => (name === "regions" ? "" : text)],
  ])("that are written with %s say what the list says, and a warning tells", async (_, name, writes) => {
    fill(250);
    rig.hubspot.exports.settings.writes = writes;
    const { warnings } = await expectSame();
    expect(warnings).toEqual([expect.stringContaining(`does not have ${name} as its API has it`)]);
  });

  it("have what they were merged of, although exports should keep that for themselves", async () => {
    const { store, exports } = rig.hubspot;
    fill(250);
    const [one, two] = store.live();
    store.merge(one?.id ?? "", two?.id ?? "");
    rig.clock.pass(2 * HOUR_MS);
    exports.settings.writes = (name, text) => (name === "hs_merged_object_ids" ? "" : text);
    const { rows } = await expectSame();
    expect(rows.filter(({ payload }) => (payload.mergedIds as string[]).length > 0)).toHaveLength(1);
  });

  it("that were edited since are believed as they were: their edit lies in the next window", async () => {
    const ids = createCompanies(rig.hubspot, 10);
    rig.clock.pass(2 * HOUR_MS);
    const { store, settings, exports } = rig.hubspot;
    settings.interfere = ({ path }) => {
      if (path.endsWith("/status") && exports.tasks.length === 1) store.edit(ids[4] ?? "", { name: "edited" });
      return null;
    };
    const before = store.get(ids[4] ?? "")?.updatedAt;
    const { rows, warnings } = await readExported(rig);
    expect(warnings).toEqual([]);
    expect(rows.map(({ id }) => id)).toEqual(ids);
    const isOld = Object(rows[4]?.payload.properties).name === "Company 4";
    expect(rows[4]?.updatedAt).toBe(isOld ? before : store.get(ids[4] ?? "")?.updatedAt);
  });

  it("bring the people of companies along, as those of the list do", async () => {
    const { store } = rig.hubspot;
    const ids = createCompanies(rig.hubspot, 250);
    for (const [place, id] of ids.entries()) {
      store.contacts.set(`c${place}`, { email: `c${place}@acme.com` });
      store.associations.set(id, new Set([`c${place}`, "c0"]));
    }
    const contacts = { names: ["email"], companyNames: ["name"] };
    const byId = (rows: readonly { readonly id: string }[]) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const listed = byId(await readListed(rig, { contacts }));
    expect(listed.length).toBeGreaterThan(700);
    expect(byId((await readExported(rig, { contacts })).rows)).toEqual(listed);
  });
});
