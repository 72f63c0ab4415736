/** Properties of groups removed through PostHog's private API, in the order in which they were set and removed. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import type { OutboxMessage } from "../../src/core/message.ts";
import { createPosthogDestination } from "../../src/destinations/posthog/posthog.ts";
import { createRequestBudget } from "../../src/destinations/posthog/private-api/budget.ts";
import { openProjectApi } from "../../src/destinations/posthog/private-api/client.ts";
import { createPropertyRemover } from "../../src/destinations/posthog/property-removal.ts";
import { LANES, toOutbox, uuidOf } from "../fakes/outbox.ts";
import { messageFrom } from "../fakes/parcels.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const KEY = "phx_secret";
const OCCURRED_AT = Date.UTC(2026, 9, 1);
const never = new AbortController().signal;

let posthog: FakePosthog;
let destination: Destination;
let now: number;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.api.scopesOf.set(KEY, ["group:read", "group:write"]);
  now = 0;
  posthog.rules.now = () => now;
  destination = open(true);
});
afterEach(async () => {
  await destination.close();
  await posthog.close();
});

function open(hasKey: boolean): Destination {
  const project = { host: posthog.url, projectId: posthog.api.projectId, personalApiKey: KEY, version: "0" };
  const clock = () => now;
  const api = openProjectApi({ ...project, budget: createRequestBudget(clock), now: clock });
  const remover = hasKey ? createPropertyRemover(api, clock) : null;
  return createPosthogDestination({ name: "posthog", host: posthog.url, token: "phc_1", version: "0", remover });
}

const context = (seq: number) => ({ uuid: uuidOf(seq), occurredAt: OCCURRED_AT, lanes: LANES });
const company = { groupType: "company", groupKey: "acme & sons" };

function sets(seq: number, properties: Readonly<Record<string, string>>): OutboxMessage {
  return toOutbox(messageFrom({ kind: "groupIdentify", ...company, properties }, context(seq)), seq);
}

function removes(seq: number, ...properties: readonly string[]): OutboxMessage {
  return toOutbox(messageFrom({ kind: "groupUnset", ...company, properties }, context(seq)), seq);
}

function event(seq: number, distinctId: string): OutboxMessage {
  const draft = { kind: "event", event: "Opened", distinctId, properties: {}, groups: {} } as const;
  return toOutbox(messageFrom(draft, context(seq)), seq);
}

const groupNow = () => posthog.groups.get(`company\0${company.groupKey}`);
const kindsOf = async (messages: readonly OutboxMessage[]) =>
  (await destination.deliver(messages, never)).map(({ kind }) => kind);

describe("a message that removes properties of a group", () => {
  it("removes each, between what was set before and after it", async () => {
    const all = [sets(1, { a: "1", b: "1", c: "1" }), removes(2, "a", "b"), sets(3, { b: "2" }), removes(4, "c")];
    expect(await kindsOf(all)).toEqual(["delivered", "delivered", "delivered", "delivered"]);
    expect(groupNow()).toEqual({ b: "2" });
    // Delivered again, it changes nothing else.
    expect(await kindsOf([removes(4, "c")])).toEqual(["delivered"]);
    expect(groupNow()).toEqual({ b: "2" });
    // It is no event, and never was one.
    expect(new Set(posthog.events().map(({ event }) => event))).toEqual(new Set(["$groupidentify"]));
  });

  it("waits, and what comes after it too, while PostHog has no such group or does not answer", async () => {
    expect(await kindsOf([removes(1, "a"), sets(2, { a: "1" })])).toEqual(["retry", "later"]);
    expect(await kindsOf([sets(2, { a: "1" })])).toEqual(["delivered"]);
    expect(await kindsOf([removes(3, "a")])).toEqual(["delivered"]);
    for (const failure of [{ kind: "status", status: 503 }, { kind: "reset" }] as const) {
      posthog.api.failure = failure;
      expect(await kindsOf([removes(4, "a"), sets(5, { a: "2" })])).toEqual(["retry", "later"]);
    }
  });

  it("keeps nothing of other lanes waiting, and says nothing of the door that takes events", async () => {
    expect(await kindsOf([sets(1, { a: "1" })])).toEqual(["delivered"]);
    posthog.api.failure = { kind: "status", status: 503 };
    const others = Array.from({ length: 8 }, (_, at) => event(10 + at, `user-${at}`));
    const [mine] = [sets(2, { b: "1" })];
    const free = others.filter(({ lane }) => lane !== mine.lane);
    expect(free.length).toBeGreaterThan(3);
    const outcomes = await destination.deliver([removes(3, "a"), mine, ...free], never);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["retry", "later", ...free.map(() => "delivered")]);
    expect(outcomes[0]).toMatchObject({ cause: "apart" });
    expect(posthog.events().filter((one) => one.event === "Opened")).toHaveLength(free.length);
  });

  it("does not ask a door that is down again for the events behind each removal", async () => {
    expect(await kindsOf([sets(1, { a: "1", b: "1" })])).toEqual(["delivered"]);
    const before = posthog.arrivals.length;
    posthog.failWhen(() => ({ kind: "status", status: 503 }));
    let asked = 0;
    posthog.failWhen(() => {
      asked += 1;
      return { kind: "status", status: 503 };
    });
    const [one, two] = [event(10, "user-0"), event(11, "user-1")];
    expect(await kindsOf([one, removes(3, "a"), two])).toEqual(["retry", "delivered", "retry"]);
    expect(asked).toBe(1);
    expect(posthog.arrivals.length).toBe(before);
  });

  it("becomes a dead letter where there is no key, or none that may write; what comes after it goes on", async () => {
    expect(await kindsOf([sets(1, { a: "1" })])).toEqual(["delivered"]);
    posthog.api.scopesOf.set(KEY, ["group:read"]);
    const [refused, after] = await destination.deliver([removes(2, "a"), sets(3, { b: "1" })], never);
    expect(refused).toMatchObject({ kind: "dead", reason: expect.stringContaining("group:write") });
    expect(JSON.stringify(refused)).not.toContain(KEY);
    expect(after).toEqual({ kind: "delivered" });
    await destination.close();
    destination = open(false);
    expect(await destination.deliver([removes(4, "a")], never)).toMatchObject([
      { kind: "dead", reason: expect.stringContaining("personalApiKey") },
    ]);
    expect(groupNow()).toEqual({ a: "1", b: "1" });
  });

  it("keeps to its budget of requests a minute, and holds back nothing but itself", async () => {
    expect(await kindsOf([sets(1, { a: "1" })])).toEqual(["delivered"]);
    const names = Array.from({ length: 500 }, (_, n) => `p${n}`);
    const [outcome] = await destination.deliver([removes(2, ...names)], never);
    expect(outcome).toEqual({ kind: "later", reason: expect.stringContaining("budget"), afterMs: 60_000 });
    expect(posthog.api.requests.length).toBe(480);
    now += 60_000;
    // It goes on where it was.
    expect(await kindsOf([removes(2, ...names)])).toEqual(["delivered"]);
    expect(posthog.api.requests.length).toBe(501);
  });

  it("pauses as long as PostHog asks for", async () => {
    expect(await kindsOf([sets(1, { a: "1" })])).toEqual(["delivered"]);
    posthog.api.failure = { kind: "status", status: 429, retryAfter: "30" };
    expect(await kindsOf([removes(2, "a")])).toEqual(["later"]);
    posthog.api.failure = null;
    now += 29_999;
    expect(await kindsOf([removes(2, "a")])).toEqual(["later"]);
    expect(posthog.api.requests.length).toBe(1);
    now += 1;
    expect(await kindsOf([removes(2, "a")])).toEqual(["delivered"]);
  });

  it("waits for a group that is on its way, but not for ever: what never was has nothing to lose", async () => {
    posthog.takeSlot("company");
    const waiting = (since: number) => ({ ...removes(1, "a"), attempts: 1, firstAttemptAt: since });
    now = 15 * 60_000;
    expect(await kindsOf([waiting(1)])).toEqual(["retry"]);
    expect(await destination.deliver([waiting(0)], never)).toMatchObject([{ kind: "delivered", code: "group_absent" }]);
  });

  it("becomes a dead letter where the key may not even read the group types", async () => {
    posthog.api.scopesOf.set(KEY, []);
    const [outcome] = await destination.deliver([removes(1, "a")], never);
    expect(outcome).toMatchObject({ kind: "dead", reason: expect.stringContaining("group:read") });
  });
});
