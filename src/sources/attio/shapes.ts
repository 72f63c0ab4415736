/** What Attio answers, as far as it is read. */

import * as z from "zod";

const value = z.looseObject({ active_until: z.string().nullish() });
export type AttioValue = z.output<typeof value>;

export const recordShape = z.looseObject({
  id: z.looseObject({ record_id: z.string().min(1) }),
  created_at: z.string().optional(),
  web_url: z.string().optional(),
  values: z.record(z.string(), z.union([z.array(value), value])),
});
export type AttioRecord = z.output<typeof recordShape>;

export const recordsShape = z.object({ data: z.array(recordShape) });
export const oneShape = z.object({ data: recordShape });

export const refusalShape = z.object({ code: z.string().default(""), message: z.string().default("") });
