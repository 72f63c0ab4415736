/** What a Salesforce source needs. */

import * as z from "zod";
import { count, secret, webAddress } from "../fields.ts";
import { mapped, pulled } from "./pull.ts";

const FIELDS = [
  "Name",
  "Website",
  "Type",
  "Industry",
  "NumberOfEmployees",
  "AnnualRevenue",
  "BillingCity",
  "BillingCountry",
  "ParentId",
  "OwnerId",
  "CreatedDate",
];

const name = z.string().regex(/^[A-Za-z]\w{0,79}$/);

const jwt = z.strictObject({
  username: z.string().min(1).describe("the user as whom it reads"),
  privateKey: secret("the RSA key in PEM whose certificate the app has"),
  audience: webAddress
    .default("https://login.salesforce.com")
    .describe("https://login.salesforce.com, or https://test.salesforce.com for a sandbox"),
});

export const salesforce = z.strictObject({
  type: z.literal("salesforce"),
  mapping: mapped("salesforce"),
  ...pulled,
  url: webAddress.describe("My Domain, such as https://acme.my.salesforce.com, without user and password"),
  loginUrl: webAddress.optional().describe("the host that gives tokens, if My Domain does not"),
  clientId: z.string().min(1).describe("the consumer key of your External Client App"),
  clientSecret: secret("the consumer secret of your app, for the client credentials flow").optional(),
  jwt: jwt.optional().describe("instead of clientSecret, for the JWT bearer flow: username, privateKey, audience"),
  object: name.default("Account").describe("the API name of an object, such as Account"),
  fields: z
    .array(name)
    .min(1)
    .default(FIELDS)
    .describe("API names of the fields that are read, instead of the usual ones, such as Name or External_Id__c"),
  bulkFrom: count(1_000_000_000)
    .nullable()
    .default(10_000)
    .describe("a whole number from 1, or null for never: rows from which on all of them are read by a bulk query"),
  dailyShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.9)
    .describe("a number from 0.01 to 1: of the requests of a day, up to where it asks; the rest is for others"),
});
