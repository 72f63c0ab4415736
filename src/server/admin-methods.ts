/** The operations as they go over HTTP: each a name and the form of what it asks. Server and client share this list. */

import * as z from "zod";
import { TREND_INTERVALS } from "../core/analytics.ts";
import { MOST_ID_CHARACTERS } from "../core/trace.ts";

const none = z.null();
const count = z.int().min(0).max(1_000_000_000);
const deadLetters = z.strictObject({
  ids: z.array(count).max(100_000).optional(),
  destination: z.string().optional(),
  reason: z.string().optional(),
  event: z.string().optional(),
  groupType: z.string().optional(),
  groupKey: z.string().optional(),
  diedFrom: z.number().optional(),
  diedBefore: z.number().optional(),
  limit: count.optional(),
});
const deadLetterPage = deadLetters.extend({ after: count.optional(), maxBytes: count.optional() });

/** This one answers with a line of JSON each time something changes. */
export const syncRequest = z.strictObject({
  source: z.string().min(1),
  isFull: z.boolean().optional(),
  since: z.int().optional(),
  isDryRun: z.boolean().optional(),
  waitForDelivery: z.boolean().optional(),
  acceptsRemovals: z.boolean().optional(),
  maxEvents: count.optional(),
});

export const ADMIN_METHODS = {
  status: none,
  groupTypes: none,
  groups: z.strictObject({ groupType: z.string(), limit: count, offset: count, search: z.string().optional() }),
  trends: z.strictObject({
    groupType: z.string(),
    event: z.string().nullable(),
    interval: z.enum(TREND_INTERVALS),
    from: z.string().nullable(),
    to: z.string().nullable(),
    breakdown: z.string().nullable(),
  }),
  listDeadLetters: deadLetterPage,
  countDeadLetters: deadLetters,
  replayDeadLetters: deadLetters,
  replayEdited: z.strictObject({ id: count, body: z.string() }),
  dropDeadLetters: deadLetters,
  trace: z.strictObject({ id: z.string().min(1).max(MOST_ID_CHARACTERS) }),
  listRejections: z.strictObject({ limit: count }),
  group: z.strictObject({ groupType: z.string(), groupKey: z.string(), limit: count }),
  keys: z.strictObject({ limit: count }),
  sources: none,
  runs: z.strictObject({ source: z.string().optional(), limit: count }),
  startSync: syncRequest,
} as const;

export type AdminMethod = keyof typeof ADMIN_METHODS;

/** As does this one. */
export const backfillRequest = z.strictObject({
  paths: z.array(z.string().min(1)).min(1).max(10_000),
  source: z.string().min(1),
  mapping: z.string().min(1).optional(),
  waitForDelivery: z.boolean(),
  isInOrder: z.boolean().optional(),
  isDryRun: z.boolean().optional(),
  maxEvents: count.optional(),
  perSecond: count.min(1).optional(),
  from: z.int().optional(),
  to: z.int().optional(),
  form: z.string().optional(),
  idColumn: z.string().optional(),
  timeColumn: z.string().optional(),
  zone: z.string().optional(),
  encoding: z.string().optional(),
});

/** And this one. */
export const verifyRequest = z.strictObject({
  destination: z.string().optional(),
  groupType: z.string().optional(),
  repair: z.boolean(),
  examples: count,
  settlingMs: count,
});

export const ADMIN_PREFIX = "/api/";
export const BACKFILL = "backfill";
export const SYNC = "sync";
export const VERIFY = "verify";
