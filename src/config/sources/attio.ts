/** What an Attio source needs. */

import * as z from "zod";
import { count, secret, webAddress } from "../fields.ts";
import { mapped, pulled } from "./pull.ts";

const slug = z.string().regex(/^[A-Za-z0-9][\w-]{0,99}$/);

export const attio = z.strictObject({
  type: z.literal("attio"),
  mapping: mapped("attio"),
  ...pulled,
  url: webAddress.default("https://api.attio.com").describe("where the API answers, without user and password"),
  accessToken: secret("an access token with the scopes record_permission:read and object_configuration:read"),
  object: slug.default("companies").describe("the slug of an object, such as companies"),
  rowsAtOnce: count(500).min(20).default(500).describe("a whole number from 20 to 500: records per request"),
  sortBy: slug
    .nullable()
    .default("created_at")
    .describe("the slug of an attribute whose order lasts while records are added, or null for Attio's own order"),
  asksForVanished: z
    .boolean()
    .default(true)
    .describe("true or false: ask for each record that is not listed any more whether it was merged into another"),
});
