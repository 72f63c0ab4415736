/** Delivery to PostHog within what it allows: nothing is lost to its rules on history, on busy ids and on its private API. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../src/core/message.ts";
import { isHistory } from "../../src/core/service.ts";
import { createRequestBudget } from "../../src/destinations/posthog/private-api/budget.ts";
import { openProjectApi } from "../../src/destinations/posthog/private-api/client.ts";
import { createPropertyRemover } from "../../src/destinations/posthog/property-removal.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { event, groupIdentifies, LANES, uuidOf } from "../fakes/outbox.ts";
import { messageFrom } from "../fakes/parcels.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { drain } from "./posthog-drain.ts";

const PROTOCOLS = ["v0", "v1"] as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What is answered is heard, however busy the machine is. */
const timeoutMs = 30_000;

let posthog: FakePosthog;
let clock: ManualClock;

beforeEach(async () => {
  posthog = await startFakePosthog();
  clock = createManualClock();
  posthog.rules.now = clock.now;
});

afterEach(() => posthog.close());

describe("history", () => {
  /** One each minute, from 47 to 50 hours old. */
  const committed = (): readonly OutgoingMessage[] =>
    Array.from({ length: 3 * 60 }, (_, minute) => {
      const occurredAt = clock.now() - 47 * HOUR_MS - minute * MINUTE_MS;
      const service = isHistory(occurredAt, clock.now()) ? "historical" : "live";
      return event(`user-${minute % 7}`, minute, { occurredAt, service });
    });

  it.each(PROTOCOLS)(
    "by %s is never called so where PostHog's clock, nine minutes behind, says too young",
    async (protocol) => {
      posthog.rules.now = () => clock.now() - 9 * MINUTE_MS;
      const messages = committed();
      const { ledger } = await drain(posthog, messages, { protocol, clock, timeoutMs });
      expect(ledger.delivered).toHaveLength(messages.length);
      expect(posthog.events()).toHaveLength(messages.length);
      expect([...posthog.refusedAsHistory]).toEqual([]);
      expect(posthog.history.size).toBeGreaterThan(0);
    },
  );
});

describe("a distinct id that PostHog lets no more than ten events a minute keep their person", () => {
  const messages = groupIdentifies(40, 1);
  const lastWritten = () => posthog.groups.get("company\0company-0")?.sequence;

  beforeEach(() => {
    posthog.rules.eventsPerIdPerMinute = 10;
  });

  it.each(PROTOCOLS)("loses no group by %s under a lower ceiling", async (protocol) => {
    const options = { protocol, clock, timeoutMs, messagesPerDistinctIdPerSecond: 0.1 };
    const { ledger } = await drain(posthog, messages, options);
    expect(ledger.dead).toEqual([]);
    expect(ledger.delivered).toHaveLength(40);
    expect(lastWritten()).toBe(39);
  });

  it("without a ceiling loses what is over it: by v1 as dead letters, by v0 without a word", async () => {
    const options = { clock, timeoutMs, messagesPerDistinctIdPerSecond: null };
    const { ledger: byV1 } = await drain(posthog, messages, { ...options, protocol: "v1" });
    expect(byV1.dead.map(({ uuid }) => uuid)).toEqual(messages.slice(10).map(({ uuid }) => uuid));
    expect(lastWritten()).toBe(9);
    await clock.advance(MINUTE_MS);
    const { ledger: byV0 } = await drain(posthog, messages, { ...options, protocol: "v0" });
    expect(byV0.delivered).toHaveLength(40);
    expect(lastWritten()).toBe(9);
  });
});

it.each(PROTOCOLS)("sends by %s no body that PostHog would not read to its end", async (protocol) => {
  const padding = "x".repeat(850_000);
  const messages = Array.from({ length: 50 }, (_, sequence) => {
    const draft = { kind: "event", event: "Big", distinctId: "ada", properties: { padding }, groups: {} } as const;
    return messageFrom(draft, { uuid: uuidOf(sequence), occurredAt: Date.UTC(2026, 9, 1) + sequence, lanes: LANES });
  });
  const limits = { compression: "none", maxMessages: 50, maxBytes: 100_000_000 } as const;
  const { ledger, rig } = await drain(posthog, messages, { protocol, clock, timeoutMs, ...limits });
  expect(rig.observed.filter((line) => line.startsWith("retried"))).toEqual([]);
  expect(ledger.dead).toEqual([]);
  expect(ledger.delivered).toHaveLength(50);
  expect(posthog.arrivals).toHaveLength(50);
});

it("removes every property in the end, between what was set before and after it, where PostHog's private API lets three requests a minute pass", async () => {
  const key = "phx_secret";
  posthog.api.scopesOf.set(key, ["group:read", "group:write"]);
  posthog.api.limits = [{ ms: MINUTE_MS, most: 3 }];
  const keys = Array.from({ length: 8 }, (_, index) => `company-${index}`);
  const company = (groupKey: string) => ({ groupType: "company", groupKey });
  const drafts = [
    ...keys.map((name) => ({ kind: "groupIdentify", ...company(name), properties: { a: 1, b: 1 } }) as const),
    ...keys.map((name) => ({ kind: "groupUnset", ...company(name), properties: ["a", "b"] }) as const),
    ...keys.map((name) => ({ kind: "groupIdentify", ...company(name), properties: { b: 2, c: 2 } }) as const),
  ];
  const messages = drafts.map((draft, sequence) =>
    messageFrom(draft, { uuid: uuidOf(sequence), occurredAt: Date.UTC(2026, 9, 1) + sequence, lanes: LANES }),
  );
  const project = { host: posthog.url, projectId: posthog.api.projectId, personalApiKey: key, version: "0" };
  const api = openProjectApi({ ...project, budget: createRequestBudget(clock.now), now: clock.now });
  const remover = createPropertyRemover(api, clock.now);
  const { ledger } = await drain(posthog, messages, { clock, timeoutMs, remover });
  expect(ledger.dead).toEqual([]);
  expect(ledger.delivered).toHaveLength(messages.length);
  expect(Object.fromEntries(posthog.groups)).toEqual(
    Object.fromEntries(keys.map((name) => [`company\0${name}`, { b: 2, c: 2 }])),
  );
});
