/** What is read of HubSpot's answers about objects (facts: HubSpot, 3 to 7). The rest of them is let pass. */

import { z } from "zod";

const paging = z.object({ next: z.object({ after: z.string() }).optional() }).optional();
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const wireRow = z.object({
  id: z.string().min(1),
  properties: z.record(z.string(), z.string().nullable()),
  createdAt: z.string().optional(),
  updatedAt: time.optional(),
  archivedAt: time.optional(),
  url: z.string().optional(),
});
export type WireRow = z.infer<typeof wireRow>;

export const listAnswer = z.object({ results: z.array(wireRow), paging });
export const searchAnswer = z.object({ total: z.int(), results: z.array(wireRow), paging });
/** Ids that were not found are absent. */
export const batchAnswer = z.object({ results: z.array(wireRow) });

const option = z.object({ value: z.string(), label: z.string() });
export const wireProperty = z.object({
  name: z.string(),
  type: z.string(),
  fieldType: z.string().optional(),
  options: z.array(option).default([]),
});
export type WireProperty = z.infer<typeof wireProperty>;
export const propertiesAnswer = z.object({ results: z.array(wireProperty) });

const target = z.object({ toObjectId: z.coerce.string() });
export const associationsAnswer = z.object({
  results: z.array(z.object({ from: z.object({ id: z.coerce.string() }), to: z.array(target), paging })),
});

const owner = z.object({ id: z.string(), email: z.string().nullish() });
export const ownersAnswer = z.object({ results: z.array(owner), paging });

export const accountAnswer = z.object({ timeZone: z.string() });

/** Of exports (facts: HubSpot, 12): a task, how far it is, and what it has. What a state is called is not promised. */
export const exportTaskAnswer = z.object({ id: z.coerce.string().min(1) });
export const exportStatusAnswer = z.object({
  status: z.string(),
  result: z.string().nullish(),
  numErrors: z.int().nullish(),
});
export const exportDetailAnswer = z.object({
  exportState: z.string().nullish().catch(null),
  recordCount: z.int().nonnegative().nullish().catch(null),
});
