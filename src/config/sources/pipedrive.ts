/** What a Pipedrive source needs. */

import * as z from "zod";
import { count, secret, webAddress } from "../fields.ts";
import { mapped, pulled } from "./pull.ts";

export const pipedrive = z.strictObject({
  type: z.literal("pipedrive"),
  mapping: mapped("pipedrive"),
  ...pulled,
  url: webAddress
    .default("https://api.pipedrive.com")
    .describe("where the API answers, such as https://acme.pipedrive.com, without user and password"),
  apiToken: secret("the API token of a user who may see all organizations").optional(),
  accessToken: secret("instead of apiToken, an OAuth access token that somebody else keeps fresh").optional(),
  requestsPer2Seconds: count(10_000)
    .default(20)
    .describe("a whole number from 1: the burst limit of the plan; four fifths of it are used"),
  listsDeleted: z
    .boolean()
    .default(false)
    .describe("true or false: lists hold deleted organizations, marked is_deleted; not promised by Pipedrive"),
  fieldsVersion: z.enum(["v2", "v1"]).default("v2").describe("v2 or v1: of the API that names custom fields"),
});
