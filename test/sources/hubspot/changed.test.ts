import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RowSource } from "../../../src/core/row-source.ts";
import { createCompanies, createHubspotRig, type HubspotRig, idsOf, never, readChanged } from "./rig.ts";

const HOUR_MS = 3_600_000;

describe("companies of HubSpot that were modified in a window", () => {
  let rig: HubspotRig;
  let rows: RowSource;
  const begin = async (options = {}) => {
    rig = await createHubspotRig(options);
    rows = await rig.begin();
  };
  afterEach(() => rig[Symbol.asyncDispose]());

  /** From now on, as long as it takes. */
  async function during(work: () => void | Promise<void>) {
    const from = rig.clock.now();
    await work();
    const to = rig.clock.now();
    rig.clock.pass(1000);
    return { from, to };
  }

  describe("whose ids are numbers in order", () => {
    beforeEach(() => begin());

    it("are found by their time, with the values they have now", async () => {
      const ids = createCompanies(rig.hubspot, 30);
      rig.clock.pass(HOUR_MS);
      const window = await during(() => rig.hubspot.store.edit(ids[3] ?? "", { seats: "1,234.5", domain: "" }));
      rig.hubspot.store.recalculate(ids[3] ?? "", { name: "newer than the search knows" });
      const found = await readChanged(rows, window);
      expect(found.rows.map(({ payload }) => payload.properties)).toMatchObject([
        { seats: 1234.5, domain: null, name: "newer than the search knows" },
      ]);
      expect(found.warnings).toEqual([]);
    });

    it("all come, also when 12,000 of them share one millisecond: a search gives 10,000 at most", async () => {
      const window = await during(() => void createCompanies(rig.hubspot, 12_000));
      expect(new Set(idsOf((await readChanged(rows, window)).rows)).size).toBe(12_000);
      expect(rig.hubspot.requests.filter((request) => request.endsWith("/search"))).toHaveLength(60);
    });

    it("do not end with a short page, nor with an empty one that says there is more", async () => {
      let ids: readonly string[] = [];
      const window = await during(() => {
        ids = createCompanies(rig.hubspot, 900);
      });
      await readChanged(rows, window);
      const { store } = rig.hubspot;
      // Found by the search, but no longer there: 150 on the second page, all of the third.
      for (const id of ids.slice(250, 600)) store.erase(id);
      const found = await readChanged(rows, window);
      expect(idsOf(found.rows)).toEqual([...ids.slice(0, 250), ...ids.slice(600)]);
    });

    it("that lie outside of the window are left out", async () => {
      const before = createCompanies(rig.hubspot, 3);
      rig.clock.pass(10_000);
      let ids: readonly string[] = [];
      const window = await during(() => {
        ids = createCompanies(rig.hubspot, 3);
      });
      rig.hubspot.settings.slackMs = 60_000;
      expect(idsOf((await readChanged(rows, window)).rows)).toEqual(ids);
      expect(before).toHaveLength(3);
    });

    it("are found once the search knows them: a window long past is read once more", async () => {
      rig.hubspot.settings.indexLagMs = 120_000;
      let ids: readonly string[] = [];
      const window = await during(() => {
        ids = createCompanies(rig.hubspot, 3);
      });
      rig.clock.pass(60_000);
      expect((await readChanged(rows, window)).rows).toEqual([]);
      rig.clock.pass(rows.traits.settledMs ?? 0);
      expect(idsOf((await readChanged(rows, window)).rows)).toEqual(ids);
    });

    it("come in halves of the window where the search keeps to no order", async () => {
      rig.hubspot.settings.unorderedAbove = 100;
      const window = await during(() => {
        for (let step = 0; step < 40; step++) {
          createCompanies(rig.hubspot, 20);
          rig.clock.pass(1000);
        }
      });
      const found = await readChanged(rows, window);
      expect(new Set(idsOf(found.rows)).size).toBe(800);
      expect(found.warnings).toEqual([]);
    });

    it("that come in no order, all of one millisecond, are not taken for all there are", async () => {
      rig.hubspot.settings.unorderedAbove = 100;
      const window = await during(() => void createCompanies(rig.hubspot, 300));
      await expect(readChanged(rows, window)).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    });

    it("go on after the cursor of any page, in the middle of the window", async () => {
      const window = await during(() => void createCompanies(rig.hubspot, 700));
      const all = idsOf((await readChanged(rows, window)).rows);
      let before = 0;
      for await (const page of rows.changed?.(window, null, never) ?? []) {
        before += page.rows.length;
        const rest: string[] = [];
        for await (const later of rows.changed?.(window, page.after, never) ?? []) rest.push(...idsOf(later.rows));
        expect(rest).toEqual(all.slice(before));
      }
    });

    it("that are modified while they are read leave the window, and no warning is made of it", async () => {
      let ids: readonly string[] = [];
      const window = await during(() => {
        ids = createCompanies(rig.hubspot, 500);
      });
      const { settings, store, requests } = rig.hubspot;
      settings.interfere = () => {
        if (requests.length === 4) for (const id of ids.slice(450)) store.edit(id, { name: "later" });
        return null;
      };
      const found = await readChanged(rows, window);
      expect(found.rows).toHaveLength(450);
      expect(found.warnings).toEqual([]);
    });

    it("that the search counts and does not give are told", async () => {
      let ids: readonly string[] = [];
      const window = await during(() => {
        ids = createCompanies(rig.hubspot, 20);
      });
      await readChanged(rows, window);
      for (const id of ids.slice(0, 3)) rig.hubspot.store.erase(id);
      expect((await readChanged(rows, window)).warnings).toEqual([
        "HubSpot's search counts 20 companies in the window and gave 17 of them.",
      ]);
    });

    it("never ask from 0 on, to which HubSpot answers 500", async () => {
      createCompanies(rig.hubspot, 3);
      rig.clock.pass(1000);
      expect((await readChanged(rows, { from: 0, to: rig.clock.now() })).rows).toHaveLength(3);
    });
  });

  it.each(["numeric", "lexicographic"] as const)("all come where the search has ids in %s order", async (idOrder) => {
    await begin({ firstId: 98 });
    rig.hubspot.settings.idOrder = idOrder;
    const window = await during(() => void createCompanies(rig.hubspot, 1500));
    const found = await readChanged(rows, window);
    expect(found.rows).toHaveLength(1500);
    expect(new Set(idsOf(found.rows)).size).toBe(1500);
  });
});
