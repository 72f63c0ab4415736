// biome-ignore-all lint/suspicious/noThenProperty: that is how @if is written
import { describe, expect, it } from "vitest";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { importSubscriptions } from "../../../src/core/mapping/import/subscriptions.ts";
import { applyTo } from "./shipped.ts";

const at = (path: string) => ({ "@path": path });

const EVENT = {
  event_type: "track",
  event_name: at("$.event"),
  distinct_id: at("$.userId"),
  properties: at("$.properties"),
  current_url: at("$.context.page.url"),
  screen_name: at("$.name"),
  anonymous_event_capture: false,
  timestamp: at("$.receivedAt"),
  enable_batching: false,
  batch_size: 100,
};

/** As the Public API gives the subscriptions that come with PostHog's destination, and one for groups. */
const POSTHOG = {
  data: {
    subscriptions: [
      { id: "a", name: "Track Event", actionSlug: "event", enabled: true, trigger: 'type = "track"', settings: EVENT },
      {
        id: "b",
        name: "Page View",
        actionSlug: "event",
        enabled: true,
        trigger: 'type = "page"',
        settings: { ...EVENT, event_type: "page", event_name: "$pageview" },
      },
      {
        id: "c",
        name: "Screen View",
        actionSlug: "event",
        enabled: true,
        trigger: 'type = "screen"',
        settings: { ...EVENT, event_type: "screen" },
      },
      {
        id: "d",
        name: "Identify",
        actionSlug: "identify",
        enabled: true,
        trigger: 'type = "identify"',
        settings: { distinct_id: at("$.userId"), properties: at("$.traits") },
      },
      {
        id: "e",
        name: "Group",
        actionSlug: "groupIdentify",
        enabled: true,
        trigger: 'type = "group"',
        settings: { group_type: "company", group_id: at("$.groupId"), traits: at("$.traits") },
      },
      { id: "f", name: "Old", actionSlug: "event", enabled: false, trigger: 'type = "track"', settings: EVENT },
    ],
  },
};

function imported(json: unknown) {
  const { text, notes } = importSubscriptions(json);
  const source = { name: "imported", file: "imported.yaml", text };
  const mapping = compileMapping(source);
  const said = notes.map(({ subscription, message }) => `${subscription}: ${message}`).join("\n");
  return {
    text,
    said,
    warnings: checkMapping(source),
    give: (payload: object) => applyTo(mapping, JSON.parse(JSON.stringify(payload))),
  };
}

const one = (subscription: object) =>
  imported([
    { name: "S", actionSlug: "event", enabled: true, trigger: 'type = "track"', settings: EVENT, ...subscription },
  ]);

describe("importing the subscriptions of a Segment destination", () => {
  it("makes a mapping that does what PostHog's destination does", () => {
    const { give, text, warnings } = imported(POSTHOG);
    const context = { page: { url: "https://acme.com/" } };
    const drafts = [
      give({ type: "track", event: "E", userId: "u", properties: { a: 1 }, context }),
      give({ type: "page", userId: "u", properties: { a: 1 }, context }),
      give({ type: "screen", name: "Home", userId: "u" }),
      give({ type: "identify", userId: "u", traits: { plan: "a" } }),
      give({ type: "group", userId: "u", groupId: "acme", traits: { name: "Acme" } }),
    ].flatMap((mapped) => mapped.drafts);
    expect(drafts).toEqual([
      { kind: "event", event: "E", distinctId: "u", properties: { a: 1 }, groups: {} },
      {
        kind: "event",
        event: "$pageview",
        distinctId: "u",
        properties: { a: 1, $current_url: "https://acme.com/" },
        groups: {},
      },
      { kind: "event", event: "$screen", distinctId: "u", properties: { $screen_name: "Home" }, groups: {} },
      { kind: "event", event: "$identify", distinctId: "u", properties: { $set: { plan: "a" } }, groups: {} },
      { kind: "groupIdentify", groupType: "company", groupKey: "acme", properties: { name: "Acme" } },
    ]);
    expect(give({ type: "alias" })).toMatchObject({ rule: "the rest", problems: [{ reason: "unsupported_type" }] });
    expect(text).toContain('when: type = "track"');
    expect(warnings).toEqual([]);
  });

  it("says what it left out", () => {
    const { said } = imported(POSTHOG);
    expect(said).toMatch(/^Old: It is disabled: it is left out\.$/m);
    expect(said).toMatch(/^Track Event: The field "batch_size" is not carried over: prickle makes its own batches\.$/m);
    expect(said).toMatch(/^Track Event: The field "timestamp" is not carried over/m);
    expect(said).not.toMatch(/"event_name"|"distinct_id"|"properties"|"screen_name"/);
    expect(one({ settings: { ...EVENT, revenue: 1 } }).said).toMatch(
      /"revenue" is not carried over: prickle has nothing like it/,
    );
    for (const settings of ['{"event_name": ', "[]", 3])
      expect(one({ settings }).said).toMatch(/Its settings cannot be read: .* it is left out\./);
    expect(one({ actionSlug: "upsertContact", settings: { email: "x" } }).said).toMatch(
      /"upsertContact" makes neither/,
    );
  });

  it.each([
    ["a list alone", [{ name: "S", partnerAction: "event", subscribe: 'type = "track"', mapping: EVENT }]],
    [
      "snake case",
      { subscriptions: [{ name: "S", action_slug: "event", trigger: 'type = "track"', settings: EVENT }] },
    ],
    [
      "settings as JSON text",
      { data: [{ name: "S", actionSlug: "event", trigger: 'type = "track"', settings: JSON.stringify(EVENT) }] },
    ],
    ["an action known by an id only", [{ name: "S", actionId: "xyz", trigger: 'type = "track"', settings: EVENT }]],
  ])("reads %s", (_what, json) => {
    expect(imported(json).give({ type: "track", event: "E", userId: "u" })).toMatchObject({ rule: "S", problems: [] });
  });

  it("reads triggers as they are written and says where Segment did not", () => {
    const { said, give } = one({ trigger: 'type = "track" and event = "A" or type = "track" and event = "B"' });
    expect(said).toMatch(
      /S: Its trigger: Segment joins them all by the last word, "and".* prickle reads it as it is written/,
    );
    expect(give({ type: "track", event: "B", userId: "u" }).rule).toBe("S");
    expect(one({ trigger: "type ==" }).said).toMatch(/Its trigger cannot be read: found "=".*left out/);
    expect(one({ trigger: 'type = "track" and type = "page"' }).said).toMatch(/never holds: it is left out/);
  });

  it("runs in Segment's dialect", () => {
    const { give } = one({
      settings: {
        ...EVENT,
        properties: { a: { "@if": { exists: null, blank: 1, then: 1, else: 0 } }, b: at("$.properties.zero.x") },
      },
    });
    expect(give({ type: "track", event: "E", userId: "u", properties: { zero: 0 } }).drafts[0]?.properties).toEqual({
      b: 0,
    });
  });

  it("keeps Segment's root directive", () => {
    const { give } = one({
      settings: {
        ...EVENT,
        __segment_internal_directive: { "@transform": { apply: { event: "Renamed", userId: at("$.anonymousId") } } },
      },
    });
    expect(give({ type: "track", event: "E", anonymousId: "a" }).drafts).toMatchObject([
      { event: "Renamed", distinctId: "a" },
    ]);
  });

  it("leaves out what prickle cannot run, and says why", () => {
    const { said, give } = one({ settings: { ...EVENT, properties: { "@nope": 1 } } });
    expect(said).toMatch(/prickle cannot run it \(rules\[0\]\.event\.properties\.@nope: unknown directive/);
    expect(said).toMatch(/^null: Nothing could be carried over/m);
    expect(give({ type: "track" }).rule).toBe("the rest");
  });

  it("puts the narrower of two before the wider, and says that Segment ran both", () => {
    const wide = { name: "All", actionSlug: "event", trigger: 'type = "track"', settings: EVENT };
    const narrow = {
      ...wide,
      name: "Orders",
      trigger: 'type = "track" and event = "Order"',
      settings: { ...EVENT, event_name: "Sold" },
    };
    const { said, give } = imported([wide, narrow]);
    expect(give({ type: "track", event: "Order", userId: "u" }).rule).toBe("Orders");
    expect(give({ type: "track", event: "Other", userId: "u" }).rule).toBe("All");
    expect(said).toMatch(/^All: Calls that "Orders" wants too go to "Orders" alone: Segment would run both\.$/m);
  });

  it("makes one rule of two with one trigger, if one makes a group and the other an event", () => {
    const group = {
      name: "G",
      actionSlug: "group",
      trigger: 'type = "group"',
      settings: { group_id: at("$.groupId") },
    };
    const event = {
      name: "E",
      actionSlug: "event",
      trigger: 'type = "group"',
      settings: { ...EVENT, event_name: "Joined" },
    };
    const { said, give } = imported([group, event, { ...event, name: "F" }]);
    expect(give({ type: "group", groupId: "g", userId: "u" })).toMatchObject({
      rule: "G",
      drafts: [
        { kind: "groupIdentify", groupType: "company" },
        { kind: "event", event: "Joined" },
      ],
    });
    expect(said).toMatch(/^E: It has the trigger of "G" and became a part of that rule\.$/m);
    expect(said).toMatch(/^F: A rule makes one event, and "G" has the same trigger: it is left out\.$/m);
    expect(said).toMatch(/^G: It names no group type: its groups are of type "company"\.$/m);
  });

  it("gives every rule a name of its own, and a sixth group type none", () => {
    const group = (type: string) => ({
      name: "G",
      actionSlug: "group",
      trigger: `type = "group" and traits.t = "${type}"`,
      settings: { group_type: type, group_id: at("$.groupId") },
    });
    const { said, give } = imported(["a", "b", "c", "d", "e", "f"].map(group));
    expect(give({ type: "group", groupId: "g", traits: { t: "b" } }).rule).toBe("G (2)");
    expect(give({ type: "group", groupId: "g", traits: { t: "f" } }).rule).toBe("the rest");
    expect(said).toMatch(/G: With the others prickle cannot run it \(.*"f" is not among groupTypes/);
  });

  it.each([[null], ["x"], [{}], [[]], [[1]], [{ data: { subscriptions: 3 } }]])("refuses %j", (json) => {
    expect(() => importSubscriptions(json)).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
  });
});
