/** What a HubSpot source needs. */

import * as z from "zod";
import { secret, webAddress } from "../fields.ts";
import { mapped, pulled } from "./pull.ts";

const names = z.array(z.string().min(1));

const oauth = z.strictObject({
  clientId: z.string().min(1).describe("the client id of your app"),
  clientSecret: secret("the client secret of your app"),
  refreshToken: secret("the refresh token that the account gave when it installed the app"),
});

const contacts = z.strictObject({
  properties: names
    .min(1)
    .default(["email"])
    .describe("names of contact properties, such as email: what the mapping reads of the people of a company"),
});

export const hubspot = z.strictObject({
  type: z.literal("hubspot"),
  mapping: mapped("hubspot"),
  ...pulled,
  accessToken: secret(
    "a service key, pat-…, with the scopes crm.objects.companies.read and crm.schemas.companies.read",
  ).optional(),
  oauth: oauth.optional().describe("instead of accessToken, of an OAuth app: clientId, clientSecret, refreshToken"),
  apiHost: webAddress.default("https://api.hubapi.com").describe("where the API answers, without user and password"),
  properties: names
    .default([])
    .describe("names of company properties to read beside the usual ones and those that the mapping names"),
  labels: z
    .boolean()
    .default(false)
    .describe("true or false: options by the labels people see, rather than by the names HubSpot keeps"),
  owners: z
    .boolean()
    .default(false)
    .describe("true or false: the e-mail address of a company's owner; needs the scope crm.objects.owners.read"),
  fullBy: z
    .enum(["list", "export"])
    .default("list")
    .describe(
      "list or export: how all companies are read; export is for hundreds of thousands, and needs the scope crm.export",
    ),
  contacts: contacts
    .optional()
    .describe("read the people of companies too, as memberships; needs the scope crm.objects.contacts.read"),
});
