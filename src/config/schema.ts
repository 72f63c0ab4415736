/** The form of prickle.yaml: what zod checks, and the JSON Schema that editors read. */

import * as z from "zod";
import { LOG_LEVELS } from "../platform/logger.ts";
import { duration } from "./duration.ts";
import { count, rate, secret, webAddress } from "./fields.ts";
import { createSecret } from "./secret.ts";
import { attio } from "./sources/attio.ts";
import { hubspot } from "./sources/hubspot.ts";
import { pipedrive } from "./sources/pipedrive.ts";
import { salesforce } from "./sources/salesforce.ts";
import { sql } from "./sources/sql.ts";

export const DEFAULT_DATA_DIR = ".prickle";

const named = <Value extends z.ZodType>(value: Value) =>
  z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/), value);

const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("an address to listen on, such as 127.0.0.1 or 0.0.0.0"),
  port: z.int().min(0).max(65_535).default(4700).describe("a whole number from 0 (any free port) to 65535"),
  adminToken: secret("the token that operators' commands must carry; without it one is made at each start").optional(),
});

const webhook = z.strictObject({
  secrets: z
    .array(secret("a shared secret of the webhook in Segment"))
    .min(1)
    .max(2)
    .optional()
    .describe("a list of one secret, or two while you change it"),
  bearer: secret("the token that Authorization: Bearer must carry").optional(),
});

const segment = z.strictObject({
  type: z.literal("segment"),
  mapping: z.string().min(1).default("segment").describe("the name of a shipped mapping, or a path from this file"),
  writeKeys: z
    .array(z.string().min(1).transform(createSecret))
    .min(1)
    .optional()
    .describe("a list of write keys: what SDKs send to say that a call is for this source"),
  maxEventsPerRun: count(1_000_000_000)
    .nullable()
    .default(null)
    .describe("a whole number from 1, or null: a backfill stops before it makes more messages, and can go on later"),
  webhook: webhook.optional().describe("who may call /webhooks/<name>: secrets, bearer or both"),
});

const engine = z.strictObject({ type: z.literal("engine") });
const toConsole = z.strictObject({ type: z.literal("console") });
const posthog = z.strictObject({
  type: z.literal("posthog"),
  host: webAddress.describe(
    "https://us.i.posthog.com, https://eu.i.posthog.com or the URL of your own, without user and password",
  ),
  token: secret("the project token, phc_…"),
  personalApiKey: secret(
    "a personal API key, phx_…, with the scopes group:read, to read the project's group types and groups, group:write, to remove properties of groups, and project:read, for doctor",
  ).optional(),
  projectId: count(2_147_483_647)
    .optional()
    .describe("a whole number from 1: the project the personal API key may read"),
  apiHost: webAddress
    .optional()
    .describe("where the private API answers, without user and password: https://us.posthog.com for us.i.posthog.com"),
  claimGroupTypes: z
    .boolean()
    .default(true)
    .describe("true or false: say the group types in the order declared before anything else is sent"),
  protocol: z
    .enum(["auto", "v0", "v1"])
    .default("auto")
    .describe("auto (v1 where the server has it, else v0), v0 or v1: how PostHog is spoken to"),
  compression: z
    .enum(["gzip", "zstd", "none"])
    .optional()
    .describe("gzip, zstd (by protocol v1 only) or none: how requests are packed; default zstd by v1, gzip by v0"),
  groupDistinctId: z
    .enum(["pool", "per_group", "static"])
    .default("pool")
    .describe("pool (32 ids, by group), per_group (as PostHog's SDKs) or static: the distinct id of group identifies"),
  historicalMigration: z
    .boolean()
    .default(true)
    .describe(
      "true or false: events that a backfill brings and that are at least 48 hours old go as PostHog's historical migration, which is not billed",
    ),
  historical: z
    .strictObject({
      messagesPerSecond: rate
        .default(1000)
        .describe(
          "a number above 0, or null for no limit: events of history per second, beside those of messagesPerSecond",
        ),
      requestsPerSecond: rate
        .optional()
        .describe(
          "a number above 0, or null for no limit: HTTP requests of history per second; default as many again as requestsPerSecond",
        ),
    })
    .prefault({})
    .describe(
      "how fast events that a backfill brings and that are at least 48 hours old are sent: messagesPerSecond, requestsPerSecond",
    ),
  maxMessages: count(10_000).default(1000).describe("a whole number from 1 to 10000: messages per request"),
  maxBytes: count(20_000_000).default(5_000_000).describe("a whole number from 1 to 20000000: bytes per request"),
  concurrency: count(100).default(4).describe("a whole number from 1 to 100: requests at once, at most"),
  messagesPerSecond: rate
    .default(1000)
    .describe("a number above 0, or null for no limit: of everything but history, which waits behind nothing of it"),
  requestsPerSecond: rate
    .default(null)
    .describe("a number above 0, or null for no limit: HTTP requests of everything but history"),
  messagesPerDistinctIdPerSecond: rate
    .default(80)
    .describe("a number above 0, or null for no limit: PostHog treats an id's events worse above 100"),
});

const ledger = z.strictObject({
  maxDepth: count(1_000_000_000)
    .default(1_000_000)
    .describe("a whole number from 1: messages that may wait before doors answer 503"),
  seenDays: z.int().min(7).max(3650).default(7).describe("a whole number from 7: days for which a call is known again"),
  deadLetterDays: count(3650)
    .nullable()
    .default(90)
    .describe("a whole number from 1, or null for ever: days for which dead letters are kept"),
  traceBytes: z
    .int()
    .min(0)
    .max(1_000_000_000_000)
    .default(256 * 1024 * 1024)
    .describe("a whole number from 0: bytes kept to trace messages by; 0: none can be traced"),
  traceDays: count(3650).default(14).describe("a whole number from 1: days for which messages can be traced"),
});

const delivery = z.strictObject({
  retryHorizon: duration({ from: "1m", to: "90d" })
    .prefault("72h")
    .describe("a duration from 1m to 90d: how long a message that fails on its own is tried"),
  lease: duration({ from: "5s", to: "1h" })
    .prefault("2m")
    .describe("a duration from 5s to 1h: how long one delivery may take"),
});

const log = z.strictObject({ level: z.enum(LOG_LEVELS).default("info") });

export const configSchema = z.strictObject({
  dataDir: z.string().min(1).default(DEFAULT_DATA_DIR).describe("a directory, from this file"),
  server: server.prefault({}),
  sources: named(z.discriminatedUnion("type", [segment, hubspot, salesforce, pipedrive, attio, sql]))
    .refine((sources) => Object.keys(sources).length > 0)
    .prefault({ segment: { type: "segment" } })
    .describe("names and their sources: at least one"),
  destinations: named(z.discriminatedUnion("type", [engine, posthog, toConsole]))
    .refine((destinations) => Object.keys(destinations).length > 0)
    .prefault({ engine: { type: "engine" } })
    .describe("names and their destinations: at least one"),
  ledger: ledger.prefault({}),
  delivery: delivery.prefault({}),
  log: log.prefault({}),
});

/** As written in code: secrets made with `createSecret`, durations as text, everything optional. */
export type ConfigInput = z.input<typeof configSchema>;
export type ParsedConfig = z.output<typeof configSchema>;
