/** Rows of exports become what the CRM's API gives: known by id and content, true at the time their column tells. */

import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/core/json.ts";
import { guessForm, idColumnOf, timeColumnOf } from "../../../src/sources/file/row-columns.ts";
import { nameIn, namesOf } from "../../../src/sources/file/row-names.ts";
import { createRowReader, type RowReading } from "../../../src/sources/file/row-reader.ts";
import { createRowTimes } from "../../../src/sources/file/row-time.ts";

const RECEIVED_AT = Date.parse("2026-11-24T12:00:00.000Z");
const READING: RowReading = { form: "rows", idColumn: "id", timeColumn: "updated_at", zone: null, isNamed: false };

function read(row: JsonObject, reading: Partial<RowReading> = {}, position = "rows.csv:2") {
  return createRowReader({ ...READING, ...reading })(row, { source: "crm", receivedAt: RECEIVED_AT, position });
}

function recordOf(row: JsonObject, reading: Partial<RowReading> = {}, position?: string) {
  const outcome = read(row, reading, position);
  if ("reason" in outcome) throw new Error(outcome.detail);
  return outcome;
}

describe("a row as it stands", () => {
  it("is known again as long as nothing of it changes", () => {
    const row = () => ({ id: "7", name: "Acme", updated_at: "2026-01-02T03:04:05Z" });
    const { id, statedAt } = recordOf(row());
    expect(id).toMatch(/^7:[0-9a-f]{40}$/);
    expect(recordOf(row(), {}, "other.csv:9").id).toBe(id);
    expect(recordOf({ ...row(), name: "Acme Inc." }).id).not.toBe(id);
    expect(statedAt).toBe(Date.parse("2026-01-02T03:04:05Z"));
  });

  it("without an id is known by its content, and without a time too by where it stands", () => {
    const timed = (position: string) => recordOf({ n: 1, updated_at: 1e12 }, { idColumn: null }, position).id;
    const untimed = (position: string) => recordOf({ n: 1 }, { idColumn: null, timeColumn: null }, position).id;
    expect(timed("a:1")).toBe(timed("b:2"));
    expect(untimed("a:1")).not.toBe(untimed("a:2"));
  });

  it("happened when the run began where no column tells, or the cell is empty; never later than that", () => {
    expect(recordOf({ id: "7" }, { timeColumn: null })).toMatchObject({ occurredAt: RECEIVED_AT, statedAt: null });
    expect(recordOf({ id: "7", updated_at: null })).toMatchObject({ occurredAt: RECEIVED_AT, statedAt: null });
    expect(recordOf({ id: "7", updated_at: "2030-01-01" })).toMatchObject({
      occurredAt: RECEIVED_AT,
      isTimeCapped: true,
    });
    expect(recordOf({ id: "7", updated_at: RECEIVED_AT })).not.toHaveProperty("isTimeCapped");
  });

  it("whose time is none is refused, with the column and what it has", () => {
    expect(read({ id: "7", updated_at: "24/11/2026" })).toMatchObject({
      reason: "invalid_field",
      recordId: "7",
      detail: expect.stringContaining('updated_at: found "24/11/2026"'),
    });
  });

  it("has its times left alone, unless a zone is said", () => {
    const row = () => ({ id: "7", seen: "2026-07-01 10:00", day: "2026-07-01", updated_at: null });
    expect(recordOf(row()).payload).toMatchObject({ seen: "2026-07-01 10:00" });
    expect(recordOf(row(), { zone: "Europe/Berlin" }).payload).toMatchObject({
      seen: "2026-07-01T08:00:00.000Z",
      day: "2026-07-01",
    });
  });
});

describe("a row of a HubSpot export", () => {
  const hubspot = { form: "hubspot", idColumn: "hs_object_id", timeColumn: "hs_lastmodifieddate" } as const;

  it("is what HubSpot's API gives of the company", () => {
    const row = {
      "Record ID": "8675309001",
      "Company name": "Acme",
      "Company Domain Name": "acme.com",
      "Create Date": "2025-02-11 10:15",
      "Last Modified Date (GMT+1)": "2026-09-30 14:00",
      "Customer Tier": "gold",
      "Merged Company IDs": "17;18",
      "Phone Number": " +49 30 1",
    };
    expect(recordOf(row, { ...hubspot, zone: "Europe/Berlin" })).toMatchObject({
      occurredAt: Date.parse("2026-09-30T12:00:00.000Z"),
      payload: {
        id: "8675309001",
        properties: {
          hs_object_id: "8675309001",
          name: "Acme",
          domain: "acme.com",
          createdate: "2025-02-11T09:15:00.000Z",
          hs_lastmodifieddate: "2026-09-30T12:00:00.000Z",
          customer_tier: "gold",
          phone: " +49 30 1",
        },
        mergedIds: ["17", "18"],
        createdAt: "2025-02-11T09:15:00.000Z",
        updatedAt: "2026-09-30T12:00:00.000Z",
        archived: false,
      },
    });
  });

  it("from the API itself stays as it is", () => {
    const row = { id: "17", properties: { name: "Acme" }, updatedAt: "2026-01-01T00:00:00Z", archived: true };
    const { id, occurredAt, payload } = recordOf(row, { ...hubspot, idColumn: "id", timeColumn: "updatedAt" });
    expect(payload).toBe(row);
    expect(id).toMatch(/^17:/);
    expect(occurredAt).toBe(Date.parse("2026-01-01T00:00:00Z"));
  });
});

describe("a row of a Salesforce export", () => {
  it("is what Salesforce's API gives of the account, whatever the case of its columns", () => {
    const salesforce = { form: "salesforce", idColumn: "Id", timeColumn: "SystemModstamp" } as const;
    const row = {
      ID: "001A00000012345",
      NAME: "Acme",
      SYSTEMMODSTAMP: "2026-01-02T03:04:05.000+0000",
      EXTERNAL_ID__C: "acme",
    };
    expect(recordOf(row, salesforce)).toMatchObject({
      occurredAt: Date.parse("2026-01-02T03:04:05Z"),
      payload: { Id: "001A00000012345", Name: "Acme", External_Id__c: "acme" },
    });
    const fromApi = { attributes: { type: "Account" }, Id: "a0X1", Tier__c: "gold" };
    expect(recordOf(fromApi, salesforce).payload).toEqual({ Id: "a0X1", Tier__c: "gold" });
  });
});

describe("names of columns", () => {
  it.each([
    ["RECORD ID", "hs_object_id"],
    ["hs_object_id", "hs_object_id"],
    ["Company Name", "name"],
    ["company name", "name"],
    ["Domain", "domain"],
    ["Number of Employees", "numberofemployees"],
    ["Country/Region", "country"],
    ["External ID", "external_id"],
    ["Größe (intern)", "größe_intern"],
    ["Create Date (GMT+1)", "createdate"],
    ["???", "???"],
  ])("in HubSpot: %s is %s", (label, name) => {
    expect(nameIn("hubspot", label)).toBe(name);
    expect(nameIn("hubspot", name)).toBe(name);
  });

  it("are each there once: a second of one name keeps its label", () => {
    expect(namesOf(["Name", "Company name", "Domain"], "hubspot")).toEqual(["name", "Company name", "domain"]);
  });

  it("tell what a file has", () => {
    expect(guessForm(["Company name", "Record ID"], null)).toBe("hubspot");
    expect(guessForm(["HS_OBJECT_ID", "name"], null)).toBe("hubspot");
    expect(guessForm(["ID", "NAME", "SYSTEMMODSTAMP"], null)).toBe("salesforce");
    expect(guessForm(["Account ID", "Account Name"], null)).toBe("salesforce");
    expect(guessForm(["id", "name"], null)).toBe("rows");
    expect(guessForm([], { type: "group", userId: "u" })).toBe("segment");
    expect(guessForm([], { type: "delete", userId: "u" })).toBe("segment");
    expect(guessForm([], { id: "1", properties: {} })).toBe("hubspot");
    expect(guessForm([], { attributes: { type: "Account" }, Id: "001" })).toBe("salesforce");
    expect(guessForm(["id", "type"], { id: 1, type: "customer" })).toBe("rows");
  });

  it("tell the id and the time, the most telling first", () => {
    expect(idColumnOf(["id", "messageId"])).toBe("messageId");
    expect(idColumnOf(["ID"])).toBe("ID");
    expect(idColumnOf(["name"])).toBeNull();
    expect(timeColumnOf(["timestamp", "Updated At"], "rows")).toBe("Updated At");
    expect(timeColumnOf(["LastModifiedDate", "SystemModstamp"], "salesforce")).toBe("SystemModstamp");
    expect(timeColumnOf(["createdate"], "hubspot")).toBeNull();
  });
});

describe("a time in a row", () => {
  const times = createRowTimes("America/New_York");
  it.each([
    ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"],
    ["2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"],
    ["2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02 03:04", "2026-01-02T08:04:00.000Z"],
    ["2026-07-02 03:04", "2026-07-02T07:04:00.000Z"],
    ["2026-01-02", "2026-01-02T05:00:00.000Z"],
    ["1653696000000", "2022-05-28T00:00:00.000Z"],
    [1_653_696_000, "2022-05-28T00:00:00.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(new Date(times.read(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  it.each(["yesterday", "2026-13-01", "12", 7, true, "01/02/2026"])("%s is none", (value) => {
    expect(times.read(value)).toBeNaN();
  });
});
