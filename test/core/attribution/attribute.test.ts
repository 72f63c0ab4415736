import { beforeEach, expect, it } from "vitest";
import { createAttribution } from "../../../src/core/attribution/attribute.ts";
import { writeEventFacts, writeIdentifyFacts, writeStatements } from "../../../src/core/attribution/facts.ts";
import { createMemoryKnowledge, type MemoryKnowledge } from "../../../src/core/attribution/memory-knowledge.ts";
import { DEFAULT_GROUP_RULES } from "../../../src/core/attribution/rules.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { writeMessage } from "../../../src/core/message.ts";
import { createParcelWriter, type Parcel, readParcel } from "../../../src/core/parcel.ts";
import { uuidOf } from "../../../src/core/uuid.ts";
import { uuidOf as textOf } from "../../fakes/outbox.ts";
import { joins } from "./people.ts";

const RULES = { segment: { ...DEFAULT_GROUP_RULES, groupTypes: ["company", "project"] } };
const LANES = 8;

let knowledge: MemoryKnowledge;
let lanes: number[];
const writer = createParcelWriter();
beforeEach(() => {
  knowledge = createMemoryKnowledge();
  lanes = [];
});

function event(uuid: number, ids: readonly string[] | null, groups: Readonly<Record<string, string>> = {}): void {
  const draft = {
    kind: "event",
    event: "Seen",
    distinctId: ids?.[0] ?? "nobody",
    properties: { uuid },
    groups,
  } as const;
  const facts = ids === null ? "" : writeEventFacts({ at: 5, ids, has: Object.keys(groups) });
  writeMessage(draft, { uuid: uuidOf(textOf(uuid)), occurredAt: 5, lanes: LANES }, writer, facts);
}

/** One that a backfill brings of long ago. */
function pastEvent(uuid: number, ids: readonly string[]): void {
  const draft = { kind: "event", event: "Seen", distinctId: ids[0] ?? "", properties: { uuid }, groups: {} } as const;
  const context = { uuid: uuidOf(textOf(uuid)), occurredAt: 5, lanes: LANES, service: "historical" } as const;
  writeMessage(draft, context, writer, writeEventFacts({ at: 5, ids, has: [] }));
}

function identify(uuid: number, groupKey: string, properties: JsonObject, groupType = "company"): void {
  const record = { source: "segment", id: `${uuid}`, occurredAt: 5, statedAt: 5, receivedAt: 5, payload: {} };
  writer.beginMessage(
    uuidOf(textOf(uuid)),
    writeIdentifyFacts({ kind: "groupIdentify", groupType, groupKey, properties }, record),
  );
  writer.endMessage(0);
}

function record(number: number, ...messages: readonly (() => void)[]): void {
  writer.record(uuidOf(textOf(1_000 + number)));
  for (const write of messages) write();
}

/** What leaves, record by record, of several parcels one after the other. */
function attribute(parcels: readonly Parcel[], known: readonly number[] = []) {
  const all = {
    source: "segment",
    statements: parcels.flatMap(({ statements }) => (statements === "" ? [] : [statements])),
    ids: Buffer.concat(parcels.map(({ ids }) => ids)),
    known: new Set(known),
  };
  const contents = Buffer.concat(parcels.map((parcel) => parcel.contents));
  const bytes = Buffer.concat([Buffer.from("before"), contents, Buffer.from("after")]);
  const parcel = createParcelWriter();
  const takeSeq = (lane: number) => lanes.push(lane) - 1;
  const run = createAttribution({ knowledge, rules: RULES, lanes: LANES });
  const tally = run({ ...all, bytes, from: 6, to: 6 + contents.length }, { parcel, takeSeq });
  const records = readParcel(parcel.take()).map(({ id, messages }) => ({
    id: Number(id.slice(-4)) - 1_000,
    messages: messages.map(({ uuid, lane, json, facts }) => {
      expect(facts).toBe("");
      const { properties } = JSON.parse(json);
      return { uuid: Number(uuid.slice(-4)), lane, groups: properties.$groups, set: properties.$group_set };
    }),
  }));
  return { tally, records };
}

const ACME = { company: "acme" };

it("learns what all records of all parcels say before it looks at a message", () => {
  record(1, () => event(1, ["ann"]));
  const first = writer.take();
  record(2, () => event(2, ["bob"]));
  const said = { kind: "membership", at: 1, groupType: "company", groupKey: "acme", joins: true } as const;
  const second = writer.take(
    writeStatements([
      { ...said, ids: ["ann"] },
      { ...said, ids: ["bob"] },
    ]),
  );
  const { records, tally } = attribute([first, second]);
  expect(records.map(({ messages }) => messages[0]?.groups)).toEqual([ACME, ACME]);
  expect(tally).toMatchObject({ messages: 2, attributed: 2 });
});

it("leaves out records that were committed before, and keeps the others with their ids", () => {
  knowledge.apply(joins(1, "ann", "acme"));
  record(1, () => event(1, ["ann"]));
  record(2, () => identify(2, "acme", { a: 1 }));
  const first = writer.take();
  record(
    3,
    () => event(3, null),
    () => identify(4, "acme", { a: 2 }),
    () => event(5, ["ann"]),
  );
  const { records, tally } = attribute([first, writer.take()], [1]);
  expect(records.map(({ id, messages }) => [id, messages.map(({ uuid }) => uuid)])).toEqual([
    [1, [1]],
    [3, [3, 4, 5]],
  ]);
  expect(tally).toMatchObject({ messages: 4, attributed: 2, saved: 0 });
  expect(records[1]?.messages.map(({ groups, set }) => groups ?? set ?? null)).toEqual([
    null,
    { a: 2, group_key: "acme" },
    ACME,
  ]);
});

it("keeps history in its lane, while the group identify beside it takes a live one", () => {
  knowledge.apply(joins(1, "ann", "acme"));
  record(
    1,
    () => pastEvent(1, ["ann"]),
    () => identify(2, "acme", { a: 1 }),
  );
  const { records } = attribute([writer.take()]);
  const [past, group] = records[0]?.messages ?? [];
  expect(past?.groups).toEqual(ACME);
  expect(past?.lane).toBeGreaterThanOrEqual(LANES);
  expect(group?.lane).toBeLessThan(LANES);
  expect(lanes).toEqual([past?.lane, group?.lane]);
});

it("adds only the types an event lacks and the source declares", () => {
  for (const [groupType, key] of [
    ["company", "acme"],
    ["project", "rocket"],
    ["other", "x"],
  ] as const) {
    knowledge.apply(joins(1, "ann", key, groupType));
  }
  record(
    1,
    () => event(1, ["ann"], { company: "told" }),
    () => event(2, ["ann"]),
    () => event(3, ["bob"]),
    () => event(4, []),
  );
  const { records, tally } = attribute([writer.take()]);
  expect(records[0]?.messages.map(({ groups }) => groups)).toEqual([
    { company: "told", project: "rocket" },
    { company: "acme", project: "rocket" },
    undefined,
    undefined,
  ]);
  expect(tally.attributed).toBe(2);
});

it("takes one seq for each message it lays, in their order and lanes, and none for what is saved", () => {
  record(
    1,
    () => event(1, ["ann"]),
    () => identify(2, "acme", {}),
    () => identify(3, "acme", {}),
    () => event(4, ["bob"]),
  );
  record(2, () => identify(5, "acme", {}));
  record(3, () => identify(6, "acme", {}, "project"));
  const { records, tally } = attribute([writer.take()]);
  expect(records.map(({ id }) => id)).toEqual([1, 3]);
  expect(lanes).toEqual(records.flatMap(({ messages }) => messages.map(({ lane }) => lane)));
  expect(tally).toMatchObject({ messages: 4, saved: 2, sharedKeys: [{ groupType: "project", otherType: "company" }] });
});

it("gives the group what one record says of it twice in the order it says it", () => {
  record(
    1,
    () => identify(1, "acme", { a: 1 }),
    () => identify(2, "acme", { a: 2 }),
    () => identify(3, "acme", { a: 1 }),
  );
  const { records, tally } = attribute([writer.take()]);
  expect(records[0]?.messages.map(({ set }) => set)).toEqual([{ a: 1, group_key: "acme" }, { a: 2 }]);
  expect(tally.stale).toBe(1);
});
