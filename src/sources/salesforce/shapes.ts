/** What Salesforce answers, as far as it is read. */

import * as z from "zod";

const id = z.string().regex(/^[A-Za-z0-9]{15,18}$/);
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "no time");
const record = z.looseObject({ Id: id, SystemModstamp: time });

export const recordsShape = z.object({
  totalSize: z.int(),
  done: z.boolean(),
  nextRecordsUrl: z
    .string()
    .regex(/^\/services\/data\/v[\d.]+\/[A-Za-z]+\/[\w-]+$/)
    .optional(),
  records: z.array(record),
});
export type SalesforceRecord = z.output<typeof record>;

export const removedShape = z.looseObject({
  Id: id,
  SystemModstamp: time,
  IsDeleted: z.boolean(),
  MasterRecordId: id.nullish(),
});

export const countShape = z.object({ totalSize: z.int() });

export const objectShape = z.object({
  fields: z.array(z.object({ name: z.string(), type: z.string() })),
});

export const jobShape = z.object({
  id,
  state: z.enum(["UploadComplete", "InProgress", "JobComplete", "Aborted", "Failed"]),
  createdDate: time.optional(),
  errorMessage: z.string().nullish(),
});

export const tokenShape = z.object({ access_token: z.string().min(1) });

export const refusalShape = z
  .array(z.object({ message: z.string().default(""), errorCode: z.string().default("") }))
  .min(1);

export const tokenRefusalShape = z.object({ error: z.string(), error_description: z.string().default("") });
