/** An export is waited for, fetched, looked through and gone on with; whatever is wrong with it is told, and costs no company. */

import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BY_EXPORT, pagesOf, readExported, readListed } from "./export-rig.ts";
import { createCompanies, createHubspotRig, type HubspotRig, never, readAll } from "./rig.ts";

const HOUR_MS = 3_600_000;
const COUNT = 450;
/** Where a page ends: the header is a row of the first. */
const HALF = 199;

describe("an export of HubSpot", () => {
  let rig: HubspotRig;
  let ids: readonly string[];
  beforeEach(async () => {
    rig = await createHubspotRig();
    ids = createCompanies(rig.hubspot, COUNT);
    rig.clock.pass(2 * HOUR_MS);
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const settings = () => rig.hubspot.exports.settings;
  const tasks = () => rig.hubspot.exports.tasks.length;
  const failure = () =>
    readExported(rig).then(
      () => Promise.reject(new RangeError("it did not fail")),
      (thrown: { readonly code: string; readonly message: string; readonly hint: string }) => thrown,
    );
  const pollsOf = () => rig.hubspot.requests.filter((one) => one.includes("/status")).length;
  const expectAll = async (warnings: readonly unknown[] = []) => {
    const listed = await readListed(rig);
    const exported = await readExported(rig);
    expect(exported.rows.toSorted(byId)).toEqual(listed);
    expect(exported.warnings).toEqual(warnings);
  };

  describe("that is being made", () => {
    it("is asked for less and less often, and given up after two hours for the next run to go on with", async () => {
      settings().readyAfterMs = 100 * HOUR_MS;
      const before = rig.clock.now();
      expect(await failure()).toMatchObject({
        code: "SOURCE_UNAVAILABLE",
        message: expect.stringContaining("ENQUEUED"),
      });
      expect(rig.clock.now() - before).toBeLessThanOrEqual(2 * HOUR_MS + 60_000);
      expect(pollsOf()).toBeLessThan(150);
      const waits = rig.clock.pauses.filter((ms) => ms >= 2000);
      expect(waits).toEqual(waits.toSorted((one, other) => one - other));
      expect(waits.at(-1)).toBe(60_000);
    });

    it("is named by the first cursor: a run that is stopped waits for the same one", async () => {
      settings().readyAfterMs = HOUR_MS;
      const stop = new AbortController();
      const cursors: string[] = [];
      rig.hubspot.settings.interfere = () => {
        if (pollsOf() === 3) stop.abort();
        return null;
      };
      for await (const { after } of (await rig.begin(BY_EXPORT)).all(null, stop.signal)) cursors.push(after);
      expect(cursors).toHaveLength(1);
      const rows = await readAll(await rig.begin(BY_EXPORT), cursors[0]);
      expect(rows.map(({ id }) => id)).toEqual(ids);
      expect(tasks()).toBe(1);
    });

    it.each(["FAILED", "CANCELED", "CONFLICT", "DELETED"])(
      "and ends as %s is asked for once more, then that is told",
      async (state) => {
        settings().endsAs = state;
        const thrown = await failure();
        expect(thrown).toMatchObject({
          code: "SOURCE_UNAVAILABLE",
          message: expect.stringContaining(`ended it as ${state}`),
        });
        expect(thrown.hint).toContain("fullBy: list");
        expect(tasks()).toBe(2);
      },
    );

    it("is waited for while it is deferred, and said to be", async () => {
      settings().endsAs = "DEFERRED";
      expect(await failure()).toMatchObject({ message: expect.stringContaining("is DEFERRED after 2 hours") });
      expect(tasks()).toBe(1);
    });

    it("that somebody has to approve of ends the run at once; afterwards it goes on with the same one", async () => {
      settings().endsAs = "PENDING_APPROVAL";
      const pages = (await rig.begin(BY_EXPORT)).all(null, never)[Symbol.asyncIterator]();
      const { value } = await pages.next();
      await expect(pages.next()).rejects.toMatchObject({
        code: "SOURCE_REFUSED",
        hint: expect.stringContaining("super admin"),
      });
      settings().endsAs = null;
      expect(await readAll(await rig.begin(BY_EXPORT), value.after)).toHaveLength(COUNT);
      expect(tasks()).toBe(1);
    });

    it("needs a scope, which is told", async () => {
      rig.hubspot.settings.missingScopes.add("crm.export");
      expect(await failure()).toMatchObject({ code: "SOURCE_REFUSED", hint: expect.stringContaining("crm.export") });
    });
  });

  describe("that is fetched", () => {
    it("comes from another host without the key of the account, which HubSpot itself gets", async () => {
      await expectAll(); // The host of files refuses whoever shows it a key.
      settings().interfereDownload = () => ({ status: 302, location: `${rig.hubspot.url}/files` });
      expect((await failure()).message).toContain("refused with status 404"); // Without a key it would be 401.
    });

    it("is fetched again where the connection ends too early, or the host fails, and counts as a request", async () => {
      settings().interfereDownload = (count) => (count === 1 ? "cut" : count === 2 ? { status: 503 } : null);
      const rows = await rig.begin(BY_EXPORT);
      const before = rows.requests() - rig.hubspot.requests.length;
      await readAll(rows);
      expect(rig.hubspot.downloads).toHaveLength(3);
      expect(rows.requests() - rig.hubspot.requests.length - before).toBe(3);
    });

    it("is fetched from another address where the first has expired", async () => {
      settings().interfereDownload = (count) => (count === 1 ? { status: 403 } : null);
      await expectAll();
      expect(new Set(rig.hubspot.downloads).size).toBe(2);
      expect(tasks()).toBe(1);
    });

    it("is made anew where no address is any good, and then given up", async () => {
      settings().addressLivesMs = 0;
      expect(await failure()).toMatchObject({
        code: "SOURCE_UNAVAILABLE",
        message: expect.stringContaining("status 403"),
      });
      expect(tasks()).toBe(2);
    });

    it("lies in a folder of its own, alone, until it is read", async () => {
      await mkdir(rig.exportDirectory, { recursive: true });
      await writeFile(join(rig.exportDirectory, "of-another-task.export"), "old");
      for await (const { rows } of (await rig.begin(BY_EXPORT)).all(null, never)) {
        if (rows.length > 0) expect(readdirSync(rig.exportDirectory)).toHaveLength(1);
      }
      expect(existsSync(rig.exportDirectory)).toBe(false);
    });

    it.each([
      [
        "what changed is read instead",
        async () => {
          const rows = await rig.begin(BY_EXPORT);
          for await (const _ of rows.changed?.({ from: 0, to: 1 }, null, never) ?? []);
        },
      ],
      ["all are listed instead", async () => void (await rig.begin({ fullBy: "list" }))],
    ])("does not stay where a run is given up and %s", async (_, instead) => {
      for await (const { rows } of (await rig.begin(BY_EXPORT)).all(null, never)) if (rows.length > 0) break;
      expect(readdirSync(rig.exportDirectory)).toHaveLength(1);
      await instead();
      expect(existsSync(rig.exportDirectory)).toBe(false);
    });
  });

  describe("that a stopped run goes on with", () => {
    async function cursorInTheMiddle(): Promise<string> {
      let read = 0;
      for await (const { after, rows } of (await rig.begin(BY_EXPORT)).all(null, never)) {
        read += rows.length;
        if (read >= HALF) return after;
      }
      throw new RangeError("there is no middle");
    }
    const restIds = async (after: string) => (await readAll(await rig.begin(BY_EXPORT), after)).map(({ id }) => id);

    it("is not fetched again while its file is there", async () => {
      const after = await cursorInTheMiddle();
      expect(await restIds(after)).toEqual(ids.slice(HALF));
      expect([tasks(), rig.hubspot.downloads.length]).toEqual([1, 1]);
    });

    it("is fetched again where its file is gone, or is not whole, and read on where it was", async () => {
      const after = await cursorInTheMiddle();
      await rm(rig.exportDirectory, { recursive: true });
      expect(await restIds(after)).toEqual(ids.slice(HALF));
      const again = await cursorInTheMiddle();
      const [name = ""] = readdirSync(rig.exportDirectory);
      await writeFile(join(rig.exportDirectory, name), "cut short");
      expect(await restIds(again)).toEqual(ids.slice(HALF));
      expect(tasks()).toBe(2);
    });

    it("is read from its first row where another file came", async () => {
      const after = await cursorInTheMiddle();
      await rm(rig.exportDirectory, { recursive: true });
      settings().lineEnd = "\r\n";
      expect(await restIds(after)).toEqual(ids);
      expect(tasks()).toBe(1);
    });

    it("is made anew where it is forgotten, and that read from its first row", async () => {
      const after = await cursorInTheMiddle();
      await rm(rig.exportDirectory, { recursive: true });
      rig.clock.pass(8 * 24 * HOUR_MS);
      expect(await restIds(after)).toEqual(ids);
      expect(tasks()).toBe(2);
    });

    it("is given up for the list where that is wanted; a list is gone on with by the list", async () => {
      const after = await cursorInTheMiddle();
      expect((await readAll(await rig.begin(), after)).map(({ id }) => id)).toEqual(ids);
      const [first] = await pagesOf(await rig.begin());
      const rest = await readAll(await rig.begin(BY_EXPORT), first?.after ?? "");
      expect(rest.map(({ id }) => id)).toEqual(ids.slice(100));
      expect(tasks()).toBe(1);
    });
  });

  describe("that is not as it should be", () => {
    it("without a column that was asked for ends the run, and the column is named", async () => {
      settings().header = (names) => names.map((name) => (name === "seats" ? "Number of seats" : name));
      const thrown = await failure();
      expect(thrown).toMatchObject({ code: "SOURCE_CHANGED", message: expect.stringContaining("no column seats") });
      expect(thrown.message).toContain('"Number of seats"');
    });

    it("with a row of too many cells has that one from the API", async () => {
      settings().edits = (lines) => lines.map((line, place) => (place === 7 ? `${line},"one more"` : line));
      await expectAll([expect.stringContaining("1 rows that cannot be read: the export, a row from line")]);
    });

    it("with a row nobody can read lacks a company: it is made anew, and then given up", async () => {
      settings().edits = (lines) => lines.map((line, place) => (place === 7 ? `"stray" ${line}` : line));
      const { code, message } = await failure();
      expect([code, tasks()]).toEqual(["SOURCE_UNAVAILABLE", 2]);
      expect(message).toContain(`${COUNT - 1} of the ${COUNT} rows`);
      expect(message).toContain("1 rows are broken, the first: the export:8");
    });

    it("with fewer rows than HubSpot counted is made anew, and no row of it is believed", async () => {
      settings().edits = (lines) => (tasks() === 1 ? lines.slice(0, 300) : lines);
      await expectAll();
      expect(tasks()).toBe(2);
    });

    it("with errors, or without a count, is read with a warning", async () => {
      settings().errorCount = 3;
      await expectAll([expect.stringContaining("has 3 errors")]);
      Object.assign(settings(), { errorCount: 0, tellsDetail: false });
      await expectAll([expect.stringContaining("does not say how many")]);
    });

    it("with a company twice, that says two things, has it from the API", async () => {
      settings().edits = (lines) => [
        ...lines.slice(0, 50),
        (lines[9] ?? "").replace("Company 8", "Company x"),
        ...lines.slice(50),
      ];
      await expectAll();
    });

    it("that cannot be unpacked is made anew", async () => {
      settings().isGzipped = true;
      settings().damages = (file) => (tasks() === 1 ? file.subarray(0, file.length - 100) : file);
      await expectAll();
      expect(tasks()).toBe(2);
      settings().rowsPerFile = 200;
      settings().damages = (file) => file.subarray(0, file.length - 30);
      expect((await failure()).message).toContain("zip file is damaged");
    });

    it("of no company at all gives none", async () => {
      for (const { id } of rig.hubspot.store.live()) rig.hubspot.store.erase(id);
      await expectAll();
      settings().edits = () => [];
      await expectAll();
    });
  });
});

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return Number(one.id) - Number(other.id);
}
