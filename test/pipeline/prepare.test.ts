import { describe, expect, it } from "vitest";
import { DEFAULT_GROUP_RULES } from "../../src/core/attribution/rules.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Mapping } from "../../src/core/mapping/mapping.ts";
import type { MessageDraft } from "../../src/core/message.ts";
import { readParcel } from "../../src/core/parcel.ts";
import { createPrepare, joinPrepared } from "../../src/pipeline/prepare.ts";

function deepObject(): JsonObject {
  let deep: JsonObject = {};
  for (let level = 0; level < 200_000; level++) deep = { deep };
  return deep;
}

/** What it makes cannot be written for records that say so. */
const mapping: Mapping = {
  name: "test",
  groupTypes: ["company"],
  groupRules: DEFAULT_GROUP_RULES,
  usesMemberships: false,
  groupReads: [],
  apply({ payload: { kind, deep } }) {
    const properties = deep === true ? deepObject() : { a: 1 };
    const draft: MessageDraft =
      kind === "event"
        ? { kind: "event", event: "Seen", distinctId: "u", properties, groups: {} }
        : { kind: "groupIdentify", groupType: "company", groupKey: "acme", properties };
    return { rule: "r", drafts: [draft], statements: [], problems: [] };
  },
};

describe("what is history", () => {
  const NOW = Date.UTC(2026, 10, 1);
  const LANES = 4;
  const HOURS = 3_600_000;
  const lanesOf = (kind: string, ageMs: number, isBackfill: boolean) => {
    const prepare = createPrepare({ mapping, lanes: LANES, isBackfill });
    const occurredAt = NOW - ageMs;
    const record = { source: "s", id: "1", occurredAt, statedAt: occurredAt, receivedAt: NOW, payload: { kind } };
    const { parcels } = prepare({ records: [record], rejections: [] });
    return parcels.flatMap(readParcel).flatMap(({ messages }) => messages.map(({ lane }) => lane));
  };

  it("are the events of a backfill that are 48 hours old, in lanes beside those they would have had", () => {
    const [live = -1] = lanesOf("event", 48 * HOURS - 1, true);
    expect(live).toBeLessThan(LANES);
    expect(lanesOf("event", 48 * HOURS, true)).toEqual([LANES + live]);
    expect(lanesOf("event", 48 * HOURS, false)).toEqual([live]);
  });

  it("is never a group identify: its lane is chosen later, among those that are live", () => {
    expect(lanesOf("groupIdentify", 9000 * HOURS, true)).toEqual([0]);
  });
});

// False as protocol v1 reads it: what gained a group would come without a person.
it.each([
  [false, false],
  ["false", false],
  ["0", false],
  [0, false],
  [true, true],
  ["no", true],
  [null, true],
])("an event that says $process_person_profile: %j may gain groups: %j", (asked, gains) => {
  const properties: JsonObject = { $process_person_profile: asked };
  const draft: MessageDraft = {
    kind: "event",
    event: "Seen",
    distinctId: "u",
    properties,
    groups: {},
    groupsOf: ["u"],
  };
  const apply = () => ({ rule: "r", drafts: [draft], statements: [], problems: [] });
  const prepare = createPrepare({ mapping: { ...mapping, apply }, lanes: 4 });
  const record = { source: "s", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload: {} };
  const [found] = prepare({ records: [record], rejections: [] }).parcels.flatMap(readParcel);
  expect(found?.messages[0]?.facts !== "").toBe(gains);
});

it("counts messages whose time was capped, over all that is committed together", () => {
  const prepare = createPrepare({ mapping, lanes: 4 });
  const record = { source: "s", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload: { kind: "event" } };
  const [plain, capped] = [record, { ...record, isTimeCapped: true } as const].map((one) =>
    prepare({ records: [one, one], rejections: [] }),
  );
  if (!plain || !capped) throw new Error("nothing was prepared");
  expect(plain).not.toHaveProperty("mended");
  expect(joinPrepared([plain, plain])).not.toHaveProperty("mended");
  expect(joinPrepared([capped, plain, capped]).mended).toEqual({ future_timestamp: 4 });
});

it.each(["event", "groupIdentify"])("rejects an %s that cannot be written, and only it", (kind) => {
  const prepare = createPrepare({ mapping, lanes: 4 });
  const records = [true, false].map((deep, index) => ({
    ...{ source: "s", id: String(index), occurredAt: 0, statedAt: 0, receivedAt: 0 },
    payload: { kind, deep },
  }));
  const { parcels, rejections } = prepare({ records, rejections: [] });
  expect(parcels.flatMap(readParcel).flatMap(({ messages }) => messages)).toHaveLength(1);
  expect(rejections).toMatchObject([{ recordId: "0", reason: "mapping_failed" }]);
});
