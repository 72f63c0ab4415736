/** Salesforce's rows in front of the fake. */

import { generateKeyPairSync } from "node:crypto";
import type { RowSource } from "../../../src/core/row-source.ts";
import { createSalesforceRows, type SalesforceOptions } from "../../../src/sources/salesforce/rows.ts";
import { createPassingClock, type PassingClock } from "../../fakes/clock.ts";
import { type FakeSalesforce, startFakeSalesforce } from "../../fakes/salesforce.ts";
import { createOpenedRows } from "../opened-rows.ts";

const keys = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

export const LOGIN = {
  clientId: "3MVG9",
  clientSecret: "geheim",
  username: "sync@acme.example",
  audience: "https://login.salesforce.com",
  publicKey: keys.publicKey,
};
export const JWT = { kind: "jwt", ...LOGIN, privateKey: keys.privateKey } as const;

export interface SalesforceRig {
  readonly fake: FakeSalesforce;
  readonly clock: PassingClock;
  open(options?: Partial<SalesforceOptions>): RowSource;
  close(): Promise<void>;
}

export async function startSalesforce(): Promise<SalesforceRig> {
  const clock = createPassingClock();
  const fake = await startFakeSalesforce(LOGIN, clock);
  fake.pageRows = 3;
  const opened = createOpenedRows();
  return {
    fake,
    clock,
    open(options = {}) {
      const { clientId, clientSecret } = LOGIN;
      const rows = createSalesforceRows({
        url: fake.url,
        credentials: { kind: "client_credentials", clientId, clientSecret },
        dailyShare: 0.9,
        object: "Account",
        fields: ["Name", "Website", "NumberOfEmployees", "AnnualRevenue", "IsPartner", "External_Id__c", "CreatedDate"],
        bulkFrom: null,
        clock,
        random: () => 0,
        ...options,
      });
      return opened.keep(rows);
    },
    async close() {
      await opened.close();
      await fake.close();
    },
  };
}

/** Eighteen characters, in the order of numbers. */
export function idOf(number: number): string {
  return `001${String(number).padStart(15, "0")}`;
}
