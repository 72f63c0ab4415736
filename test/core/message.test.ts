import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupSyncDistinctId, MAX_GROUP_KEY_CHARACTERS, MAX_ID_BYTES } from "../../src/core/group.ts";
import type { JsonObject } from "../../src/core/json.ts";
import {
  type EventDraft,
  type GroupIdentifyDraft,
  MAX_MESSAGE_BYTES,
  type MessageDraft,
  occurredAtOf,
  writeMessage,
  writtenOrProblem,
} from "../../src/core/message.ts";
import { createParcelWriter } from "../../src/core/parcel.ts";
import { uuidOf } from "../../src/core/uuid.ts";
import { messageFrom } from "../fakes/parcels.ts";

const CONTEXT = { uuid: "019dfc1a-0422-7e99-8087-4d4c9d7f48ae", occurredAt: Date.UTC(2026, 4, 6), lanes: 64 };

function event(changes: Partial<EventDraft> = {}): EventDraft {
  return {
    kind: "event",
    event: "Order Placed",
    distinctId: "user-1",
    properties: { total: 3 },
    groups: { company: "acme" },
    ...changes,
  };
}

function groupIdentify(changes: Partial<GroupIdentifyDraft> = {}): GroupIdentifyDraft {
  return {
    kind: "groupIdentify",
    groupType: "company",
    groupKey: "acme",
    properties: { name: "Acme" },
    ...changes,
  };
}

function built(draft: MessageDraft) {
  const message = messageFrom(draft, CONTEXT);
  return { ...message, fields: JSON.parse(message.json) as JsonObject };
}

function refusal(draft: MessageDraft): string {
  const parcel = createParcelWriter();
  const uuid = uuidOf(CONTEXT.uuid);
  parcel.record(uuid);
  const problem = writeMessage(draft, { ...CONTEXT, uuid }, parcel);
  // What is refused leaves nothing behind.
  expect(parcel.take().messages).toBe(problem ? 0 : 1);
  return problem?.reason ?? "built";
}

/** As deep as a recursive walk cannot go. */
function deepObject(): JsonObject {
  let deep: JsonObject = {};
  for (let level = 0; level < 200_000; level++) deep = { deep };
  return deep;
}

describe("what cannot be written", () => {
  it("is refused with a reason: nested too deeply for the stack, or longer than a text may be", () => {
    expect(refusal(event({ properties: deepObject() }))).toBe("mapping_failed");
    expect(refusal(groupIdentify({ properties: deepObject() }))).toBe("mapping_failed");
    expect(writtenOrProblem(() => "x".repeat(2 ** 30))).toMatchObject({ reason: "mapping_failed" });
    expect(() => writtenOrProblem(() => JSON.parse("{"))).toThrow(SyntaxError);
  });
});

describe("an event", () => {
  it("carries its groups, its uuid and an explicit UTC time", () => {
    expect(built(event()).fields).toEqual({
      event: "Order Placed",
      distinct_id: "user-1",
      uuid: CONTEXT.uuid,
      timestamp: "2026-05-06T00:00:00.000Z",
      properties: { total: 3, $groups: { company: "acme" } },
    });
  });

  it("without groups carries no $groups", () => {
    expect(built(event({ groups: {} })).fields.properties).toEqual({ total: 3 });
  });

  it("ends in its properties, so that a destination can add its own", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (properties) => {
        const { json } = built(event({ properties: { ...properties, last: true } }));
        const spliced: JsonObject = JSON.parse(`${json.slice(0, -2)},"$added":1}}`);
        expect(spliced.properties).toHaveProperty("$added", 1);
      }),
    );
  });

  // As protocol v1 reads it.
  it.each([false, "false", " False ", "0", 0])("with groups is never personless, although it says %j", (asked) => {
    const personless = { $process_person_profile: asked };
    expect(built(event({ properties: { ...personless } })).fields.properties).not.toHaveProperty(
      "$process_person_profile",
    );
    expect(built(event({ properties: { ...personless }, groups: {} })).fields.properties).toEqual(personless);
  });

  it.each(["", "  ", "null", "undefined", "[object Object]", " Anonymous ", "0", "NaN"])(
    "of the distinct id %j is refused",
    (distinctId) => {
      expect(refusal(event({ distinctId }))).toBe("illegal_distinct_id");
    },
  );

  it("keeps a distinct id that PostHog would cut apart from its neighbours", () => {
    const long = "é".repeat(MAX_ID_BYTES / 2 + 1);
    const first = built(event({ distinctId: `${long}a` })).fields.distinct_id;
    const second = built(event({ distinctId: `${long}b` })).fields.distinct_id;
    expect(first).not.toBe(second);
    expect(Buffer.byteLength(String(first))).toBeLessThanOrEqual(MAX_ID_BYTES);
    const fitting = "é".repeat(MAX_ID_BYTES / 2);
    expect(built(event({ distinctId: fitting })).fields.distinct_id).toBe(fitting);
  });

  it.each(["", "x".repeat(MAX_ID_BYTES + 1), "$groupidentify", "$group_unset"])("named %j is refused", (name) => {
    expect(refusal(event({ event: name }))).toBe("invalid_event_name");
  });

  it("with a group key PostHog would drop is refused", () => {
    expect(refusal(event({ groups: { company: "k".repeat(MAX_GROUP_KEY_CHARACTERS) } }))).toBe("built");
    expect(refusal(event({ groups: { company: "k".repeat(MAX_GROUP_KEY_CHARACTERS + 1) } }))).toBe("invalid_group_key");
    expect(refusal(event({ groups: { company: "" } }))).toBe("invalid_group_key");
  });

  it("larger than PostHog takes is refused, counted in bytes", () => {
    expect(refusal(event({ properties: { text: "x".repeat(MAX_MESSAGE_BYTES / 2) } }))).toBe("built");
    expect(refusal(event({ properties: { text: "é".repeat(MAX_MESSAGE_BYTES / 2) } }))).toBe("message_too_large");
  });
});

describe("a group identify", () => {
  it("is PostHog's $groupidentify on one of the pool's distinct ids", () => {
    expect(built(groupIdentify()).fields).toMatchObject({
      event: "$groupidentify",
      distinct_id: groupSyncDistinctId("company", "acme"),
      properties: { $group_type: "company", $group_key: "acme", $group_set: { name: "Acme" } },
    });
    expect(groupSyncDistinctId("company", "acme")).toMatch(/^\$groups_sync_\d\d$/);
  });

  it("without properties carries its key, so that PostHog lists the group", () => {
    const { properties } = built(groupIdentify({ properties: {} })).fields;
    expect(properties).toHaveProperty("$group_set", { group_key: "acme" });
  });

  it("of an empty key is refused", () => {
    expect(refusal(groupIdentify({ groupKey: "" }))).toBe("invalid_group_key");
  });
});

describe("the time of a message", () => {
  it("is read from its text, whatever its names look like", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(4e12), (name, occurredAt) => {
        const draft = { kind: "event", event: `"timestamp":"${name}`, distinctId: `x${name}`, groups: {} } as const;
        const { json } = messageFrom({ ...draft, properties: { name } }, { ...CONTEXT, occurredAt });
        expect(occurredAtOf(Buffer.from(json))).toBe(occurredAt);
      }),
    );
    expect(occurredAtOf(Buffer.from("{}"))).toBeNaN();
  });
});

describe("lanes", () => {
  it("are shared by all messages of a distinct id, and by all identifies of a group", () => {
    expect(built(event({ event: "A" })).lane).toBe(built(event({ event: "B", groups: {} })).lane);
    expect(built(groupIdentify()).lane).toBe(built(groupIdentify({ properties: { plan: "pro" } })).lane);
  });

  it("of history lie beside the live ones, for events only", () => {
    const history = { ...CONTEXT, service: "historical" } as const;
    const draft = { kind: "event", event: "A", distinctId: "ann", properties: {}, groups: {} } as const;
    expect(messageFrom({ ...draft }, history).lane).toBe(messageFrom({ ...draft }, CONTEXT).lane + CONTEXT.lanes);
    for (const kind of ["groupIdentify", "groupUnset"] as const) {
      const group = { groupType: "company", groupKey: "acme" };
      const about =
        kind === "groupUnset" ? { ...group, kind, properties: ["a"] } : { ...group, kind, properties: { a: 1 } };
      expect(messageFrom(about, history).lane).toBe(messageFrom(about, CONTEXT).lane);
    }
  });

  it("keep group types of equal key apart from each other", () => {
    const lanes = ["a", "b", "c", "d", "e"].map((groupType) => built(groupIdentify({ groupType })).lane);
    expect(new Set(lanes).size).toBeGreaterThan(1);
  });
});
