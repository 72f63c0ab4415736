import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DEFAULT_GROUP_RULES } from "../../src/core/attribution/rules.ts";
import { createGroupMemory } from "../../src/core/group-memory.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Ledger } from "../../src/core/ledger.ts";
import type { Mapping } from "../../src/core/mapping/mapping.ts";
import type { Rejection, SourceRecord } from "../../src/core/record.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createIngest, type Ingest } from "../../src/pipeline/ingest.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { createManualClock } from "../fakes/clock.ts";

const clock = createManualClock();

/** One event per record, for the distinct id it names; "both" makes one more that PostHog would drop. */
const mapping: Mapping = {
  name: "test",
  groupTypes: ["company"],
  groupRules: DEFAULT_GROUP_RULES,
  usesMemberships: false,
  groupReads: [],
  apply({ payload: { user, problem, both } }) {
    if (problem !== undefined) {
      return { rule: null, drafts: [], statements: [], problems: [{ reason: "no_rule", detail: String(problem) }] };
    }
    const draft = (distinctId: string) =>
      ({ kind: "event", event: "Seen", distinctId, properties: {}, groups: {} }) as const;
    const drafts = both ? [draft("null"), draft(String(user))] : [draft(String(user))];
    return { rule: "seen", drafts, statements: [], problems: [] };
  },
};

/** Says of one company what the record says. */
const identifying: Mapping = {
  ...mapping,
  apply: ({ payload }) => ({
    rule: "group",
    drafts: [{ kind: "groupIdentify", groupType: "company", groupKey: "acme", properties: payload }],
    statements: [],
    problems: [],
  }),
};

let directory: string;
let ledger: Ledger;
let ingest: Ingest;
let wakes: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-ingest-"));
  ledger = await openSqliteLedger({
    directory,
    destinations: ["engine"],
    maxDepth: 3,
    seenDays: 7,
    clock,
    logger: createLogger("silent"),
  });
  wakes = 0;
  const onCommitted = () => {
    wakes += 1;
  };
  const { observer } = createMetrics();
  ingest = createIngest({ source: "segment", mapping, ledger, observer, clock, onCommitted });
});
afterEach(async () => {
  await ledger.close();
  await rm(directory, { recursive: true, force: true });
});

function record(id: string, payload: JsonObject): SourceRecord {
  return { source: "segment", id, occurredAt: clock.now(), statedAt: clock.now(), receivedAt: clock.now(), payload };
}

const rejection: Rejection = {
  source: "segment",
  recordId: null,
  reason: "not_a_call",
  detail: "a number",
  receivedAt: clock.now(),
  payload: 7,
};

const take = (records: readonly SourceRecord[], rejections: readonly Rejection[] = []) =>
  ingest.commit(ingest.prepare({ records, rejections }));

it("puts what the mapping makes into the outbox, and wakes the deliveries", async () => {
  const result = await take([record("1", { user: "ann" }), record("2", { user: "bob" })]);
  const attribution = { saved: 0, stale: 0, attributed: 0 };
  expect(result).toEqual({ received: 2, messages: 2, duplicates: 0, rejections: [], ...attribution });
  expect((await ledger.status()).depth).toBe(2);
  expect(wakes).toBe(1);
});

it("keeps what cannot be used with its reason, from the door, the mapping or the message, beside its neighbours", async () => {
  const records = [record("1", { problem: "odd" }), record("2", { user: "ann", both: true })];
  const { received, messages, rejections } = await take(records, [rejection]);
  expect({ received, messages }).toEqual({ received: 3, messages: 1 });
  const reasons = rejections.map(({ recordId, reason }) => [recordId, reason]);
  expect(reasons).toEqual([
    [null, "not_a_call"],
    ["1", "no_rule"],
    ["2", "illegal_distinct_id"],
  ]);
  expect(await ledger.listRejections({ limit: 9 })).toMatchObject([...rejections].reverse());
});

it("keeps the beginning of what is too large to be kept, whoever refused it", async () => {
  const payload = { problem: "odd", notes: "x".repeat(500_000) };
  const { rejections } = await take([record("1", payload)], [{ ...rejection, payload }]);
  expect(rejections).toHaveLength(2);
  for (const { detail, payload: kept } of await ledger.listRejections({ limit: 9 })) {
    expect(detail).toMatch(/Of its 500\d+ bytes the first \d+ are kept/);
    expect(kept).toMatch(/^{"problem":"odd","notes":"xxx/);
    expect(String(kept).length).toBeLessThan(100_000);
  }
});

it("takes a record once, and wakes nobody for the second time", async () => {
  await take([record("1", { user: "ann" })]);
  expect(await take([record("1", { user: "ann" })])).toMatchObject({ messages: 0, duplicates: 1 });
  expect((await ledger.status()).depth).toBe(1);
  expect(wakes).toBe(1);
});

it("takes a record that made nothing once its mapping is mended", async () => {
  await take([record("1", { problem: "odd" })]);
  expect(await take([record("1", { user: "ann" })])).toMatchObject({ messages: 1, duplicates: 0 });
});

it("stores nothing when the ledger is full, and the same may be committed later", async () => {
  await take(["1", "2", "3"].map((id) => record(id, { user: id })));
  const prepared = ingest.prepare({ records: [record("4", { user: "dan" })], rejections: [] });
  await expect(ingest.commit(prepared)).rejects.toMatchObject({ code: "LEDGER_FULL" });
  expect(await ledger.listRejections({ limit: 9 })).toEqual([]);
  const { id, messages } = (await ledger.claim({
    destination: "engine",
    maxMessages: 9,
    maxBytes: 9e6,
    leaseMs: 9e3,
    service: "live",
  })) ?? {
    id: -1,
    messages: [],
  };
  await ledger.settle(
    id,
    messages.map(() => ({ kind: "delivered" })),
  );
  expect(await ingest.commit(prepared)).toMatchObject({ messages: 1 });
});

it("keeps what was said of a group although the ledger was full when it was said first", async () => {
  const groups = createGroupMemory([{ groupType: "company", property: "domain", gives: null }]);
  const { observer } = createMetrics();
  const ofGroups = createIngest({
    source: "segment",
    mapping: identifying,
    groups,
    ledger,
    observer,
    clock,
    onCommitted: () => undefined,
  });
  const send = (id: string) =>
    ofGroups.commit(ofGroups.prepare({ records: [record(id, { domain: "acme.com" })], rejections: [] }));
  await take(["1", "2", "3"].map((id) => record(id, { user: id })));
  await expect(send("4")).rejects.toMatchObject({ code: "LEDGER_FULL" });
  const claim = { destination: "engine", service: "live" as const, maxMessages: 9, maxBytes: 9e6, leaseMs: 9e3 };
  const { id, messages } = (await ledger.claim(claim)) ?? fail();
  await ledger.settle(
    id,
    messages.map(() => ({ kind: "delivered" })),
  );
  await send("4");
  expect(await ledger.groups(["company"])).toMatchObject([{ groupKey: "acme", properties: { domain: "acme.com" } }]);
});

function fail(): never {
  throw new Error("there should be something here");
}
