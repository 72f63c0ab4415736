/** The event that names the group types before anything else, so that PostHog hands out indexes as they were declared. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { createSlotClaim } from "../../src/destinations/posthog/slot-claim.ts";
import { outboxMessages, uuidIn } from "../fakes/outbox.ts";
import { type Failure, type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";

const TYPES = ["workspace", "company", "project"];
const unsignalled = new AbortController().signal;

let posthog: FakePosthog;
const opened: Destination[] = [];

beforeEach(async () => {
  posthog = await startFakePosthog();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((destination) => destination.close()));
  await posthog.close();
});

function open(claimedGroupTypes: readonly string[], options: Partial<PosthogOptions> = {}): Destination {
  const settings = { name: "posthog", host: posthog.url, token: "phc_test_token", version: "1.2.3", ...options };
  const destination = createPosthogDestination({ ...settings, protocol: "v0", claimedGroupTypes });
  opened.push(destination);
  return destination;
}

it("goes before the first batch, alone, once, and has the types in their order", async () => {
  const destination = open(TYPES);
  await destination.deliver(outboxMessages(3), unsignalled);
  await destination.deliver(outboxMessages(6).slice(3), unsignalled);
  expect(posthog.requests.map(({ uuids }) => uuids.length)).toEqual([1, 3, 3]);
  expect(posthog.groupTypes).toEqual(TYPES);
  const [claim] = posthog.events();
  expect(claim).toMatchObject({ event: "prickle group types", distinctId: "$groups_sync_00" });
  expect(claim?.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  expect(claim?.properties.$ignore_sent_at).toBe(true);
  expect([...posthog.groups.keys()].filter((group) => !group.includes("company-"))).toEqual([]);
});

it("is the same event after every start, for the same types in the same order only", async () => {
  for (let start = 0; start < 3; start++) await open(TYPES).deliver(outboxMessages(1), unsignalled);
  expect(posthog.arrivals).toHaveLength(6);
  expect(posthog.events()).toHaveLength(2);
  const uuids = [TYPES, TYPES.toReversed(), ["workspace", "company"]].map((types) => uuidIn(createSlotClaim(types)));
  expect(new Set(uuids).size).toBe(3);
});

it.each([[[]], [["company"]]])("is not sent for %j: there is no order", async (types) => {
  await open(types).deliver(outboxMessages(2), unsignalled);
  expect(posthog.requests).toHaveLength(1);
});

it("goes out once for batches that are in flight together, and none of them overtakes it", async () => {
  let release = () => {};
  posthog.failNext({ kind: "slow", release: new Promise<void>((resolve) => (release = resolve)) });
  const destination = open(TYPES);
  const messages = outboxMessages(4);
  const deliveries = messages.map((message) => destination.deliver([message], unsignalled));
  await expect.poll(() => posthog.requests.length).toBe(1);
  release();
  expect((await Promise.all(deliveries)).flat().map(({ kind }) => kind)).toEqual(Array(4).fill("delivered"));
  expect(posthog.requests[0]?.uuids).toEqual([uuidIn(createSlotClaim(TYPES))]);
  expect(posthog.arrivals.slice(1).toSorted()).toEqual(messages.map(uuidIn));
});

describe("that fails", () => {
  const failures: readonly (readonly [string, Failure])[] = [
    ["by a 503", { kind: "status", status: 503 }],
    ["by a reset", { kind: "reset" }],
    ["by a truncated answer", { kind: "truncatedAnswer" }],
    ["for its quota", { kind: "quotaLimited" }],
    ["by a 400", { kind: "status", status: 400, body: "not this one" }],
    ["by a 413", { kind: "status", status: 413 }],
  ];
  it.each(failures)("%s holds its batch back, loses nothing, and goes again first", async (_, failure) => {
    posthog.failNext(failure);
    const destination = open(TYPES);
    const messages = outboxMessages(3);
    const outcomes = await destination.deliver(messages, unsignalled);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["retry", "retry", "retry"]);
    expect(posthog.requests).toHaveLength(1);
    expect(posthog.groups.size).toBe(0);
    const again = await destination.deliver(messages, unsignalled);
    expect(again.map(({ kind }) => kind)).toEqual(["delivered", "delivered", "delivered"]);
    expect(posthog.groupTypes).toEqual(TYPES);
  });

  it("by a refusal says what it is and pauses, since a person has to look", async () => {
    posthog.failNext({ kind: "status", status: 400, body: "not this one" });
    expect(await open(TYPES).deliver(outboxMessages(1), unsignalled)).toEqual([
      {
        kind: "retry",
        cause: "blocked",
        reason: expect.stringMatching(/claimGroupTypes.*not this one/),
        retryAfterMs: 60_000,
      },
    ]);
  });
});
