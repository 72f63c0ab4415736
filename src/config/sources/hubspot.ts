/** What a HubSpot source needs. */

import * as z from "zod";
import { secret, webAddress } from "../fields.ts";
import { mapped, pulled } from "./pull.ts";

export const hubspot = z.strictObject({
  type: z.literal("hubspot"),
  mapping: mapped("hubspot"),
  ...pulled,
  accessToken: secret(
    "a service key, pat-…, with the scopes crm.objects.companies.read and crm.schemas.companies.read",
  ),
  apiHost: webAddress.default("https://api.hubapi.com").describe("where the API answers, without user and password"),
});
