/** What Pipedrive answers, as far as it is read. */

import * as z from "zod";

const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "no time");

export const organizationShape = z.looseObject({
  id: z.int(),
  update_time: time.nullish(),
  is_deleted: z.boolean().optional(),
  custom_fields: z.record(z.string(), z.unknown()).nullish(),
});
export type Organization = z.output<typeof organizationShape>;

const cursor = z.object({ next_cursor: z.string().min(1).nullish() }).nullish();

export const organizationsShape = z.object({ data: z.array(organizationShape).nullable(), additional_data: cursor });

const option = z.object({ id: z.union([z.int(), z.string()]), label: z.string() });

/** Of v2: `field_code` and `field_name`; of v1: `key` and `name`. */
export const fieldShape = z
  .object({
    field_code: z.string().optional(),
    key: z.string().optional(),
    field_name: z.string().optional(),
    name: z.string().optional(),
    options: z.array(option).nullish(),
  })
  .transform(({ field_code, key, field_name, name, options }) => {
    const code = field_code ?? key ?? "";
    return { code, name: field_name ?? name ?? code, options: options ?? [] };
  });
export type OrganizationField = z.output<typeof fieldShape>;

const pagination = z
  .object({ more_items_in_collection: z.boolean().optional(), next_start: z.int().nullish() })
  .nullish();

export const fieldsShape = z.object({
  data: z.array(fieldShape).nullable(),
  additional_data: z.object({ next_cursor: z.string().min(1).nullish(), pagination }).nullish(),
});

export const refusalShape = z.object({ error: z.string().optional(), error_info: z.string().optional() });
