/** What a person may change of a message that was given up, and what stays as it is. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EditProblem, editedMessage } from "../../src/core/edited-message.ts";
import { groupLane, personHash } from "../../src/core/identity.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { MessageDraft } from "../../src/core/message.ts";
import { messageFrom } from "../fakes/parcels.ts";

const LANES = 16;
const UUID = "019c1f2e-4a00-7f3c-9d1e-8b1f0c2a7e55";
const WHEN = Date.UTC(2026, 1, 1);
const EVENT: MessageDraft = {
  kind: "event",
  event: "Seen",
  distinctId: "ada",
  properties: { plan: "pro" },
  groups: { company: "acme" },
};
const IDENTIFY: MessageDraft = {
  kind: "groupIdentify",
  groupType: "company",
  groupKey: "acme",
  properties: { plan: "free", seats: 3 },
};

const textOf = (draft: MessageDraft) => messageFrom(draft, { uuid: UUID, occurredAt: WHEN, lanes: LANES }).json;

function edit(draft: MessageDraft, change: (message: JsonObject) => unknown, refresh = (json: string) => json) {
  const original = textOf(draft);
  return editedMessage(original, JSON.stringify(change(JSON.parse(original))), {
    lanes: LANES,
    groupTypes: ["company", "project"],
    refresh,
  });
}

const withProperties = (properties: object) => (message: JsonObject) => ({
  ...message,
  properties: { ...(message.properties as JsonObject), ...properties },
});

describe("a message that somebody changed", () => {
  it("is the same message when nothing was changed", () => {
    for (const draft of [EVENT, IDENTIFY]) {
      expect(edit(draft, (message) => message)).toMatchObject({ json: textOf(draft) });
    }
  });

  it("is written as a mapping would have written it, with the lane of whom it is about now", () => {
    const { timestamp, uuid, properties } = JSON.parse(textOf(EVENT));
    const edited = edit(EVENT, () => ({ timestamp, properties, uuid, distinct_id: "bob", event: "Left" }));
    expect(edited).toEqual({
      json: textOf({ ...EVENT, event: "Left", distinctId: "bob" }),
      lane: personHash("bob") % LANES,
    });
    const moved = edit(IDENTIFY, withProperties({ $group_key: "beta" }));
    const { $group_set, $group_key } = propertiesIn(moved);
    expect({ $group_key, $group_set }).toEqual({ $group_key: "beta", $group_set: { plan: "free", seats: 3 } });
    expect(moved).toMatchObject({ lane: groupLane("company", "beta", LANES) });
  });

  it("of a group says what was changed, and of the rest what is known now", () => {
    const refresh = (json: string) => {
      const message = JSON.parse(json);
      message.properties.$group_set = { plan: "team", seats: 9 };
      return JSON.stringify(message);
    };
    const edited = edit(IDENTIFY, withProperties({ $group_set: { plan: "free", seats: 4 } }), refresh);
    expect(propertiesIn(edited).$group_set).toEqual({ plan: "team", seats: 4 });
  });

  it.each<[what: string, draft: MessageDraft, change: (message: JsonObject) => unknown, detail: RegExp]>([
    ["another uuid", EVENT, (m) => ({ ...m, uuid: UUID.replace("0", "1") }), /^uuid must stay "019c/],
    ["another time", EVENT, (m) => ({ ...m, timestamp: "2026-02-01" }), /^timestamp must stay "2026-02-01T00/],
    ["no time", EVENT, ({ timestamp: _, ...m }) => m, /^timestamp must stay .* found undefined/],
    ["a field of its own", EVENT, (m) => ({ ...m, sent_at: 1 }), /^Found "sent_at"; allowed are event, distinct_id/],
    ["no object", EVENT, () => [], /not one JSON object/],
    ["no name", EVENT, (m) => ({ ...m, event: "" }), /^An event name has 1–200 bytes/],
    ["an event that is ours", EVENT, (m) => ({ ...m, event: "$groupidentify" }), /^event must stay "Seen"/],
    ["a reserved id", EVENT, (m) => ({ ...m, distinct_id: "null" }), /reserved distinct id/],
    ["an undeclared type", EVENT, withProperties({ $groups: { team: "a" } }), /"team"; declared are company, project/],
    ["an empty key", EVENT, withProperties({ $groups: { company: "" } }), /the key is empty/],
    ["a key that is no text", EVENT, withProperties({ $groups: { company: 7 } }), /\$groups.company: a text/],
    [
      "too many bytes",
      EVENT,
      withProperties({ text: "x".repeat(900_000) }),
      /The message has \d+ bytes; PostHog takes/,
    ],
    ["another event", IDENTIFY, (m) => ({ ...m, event: "Seen" }), /^event must stay "\$groupidentify"/],
    ["another distinct id", IDENTIFY, (m) => ({ ...m, distinct_id: "ada" }), /^distinct_id must stay/],
    ["an undeclared type", IDENTIFY, withProperties({ $group_type: "team" }), /"team"; declared are/],
    ["a key too long", IDENTIFY, withProperties({ $group_key: "k".repeat(401) }), /401 characters/],
    ["no properties", IDENTIFY, withProperties({ $group_set: null }), /\$group_set: an object/],
    ["a property beside them", IDENTIFY, withProperties({ $set: {} }), /properties.\$set has no place/],
  ])("is refused with %s", (_what, draft, change, detail) => {
    const { code, detail: found } = edit(draft, change) as EditProblem;
    expect({ code, found }).toEqual({ code: "INPUT_INVALID", found: expect.stringMatching(detail) });
  });

  it("keeps uuid and time, or is refused, whatever was written", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((value) => textOf(EVENT).replace('"pro"', value)),
    );
    fc.assert(
      fc.property(text, (edited) => {
        const result = editedMessage(textOf(EVENT), edited, { lanes: LANES, groupTypes: [], refresh: (json) => json });
        if ("code" in result) return;
        const { uuid, timestamp } = JSON.parse(result.json);
        expect([uuid, timestamp]).toEqual([UUID, "2026-02-01T00:00:00.000Z"]);
      }),
    );
  });
});

function propertiesIn(edited: ReturnType<typeof editedMessage>): JsonObject {
  return "json" in edited ? JSON.parse(edited.json).properties : {};
}
