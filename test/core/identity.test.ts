import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageUuid as messageUuidOf, recordUuid as recordUuidOf, spreadHash } from "../../src/core/identity.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { uuidText } from "../../src/core/uuid.ts";

const messageUuid = (record: SourceRecord, index: number) => uuidText(messageUuidOf(record, index));
const recordUuid = (record: SourceRecord) => uuidText(recordUuidOf(record));

const HAPPENED = Date.UTC(2026, 4, 6, 7, 8, 9, 10);

function record(changes: Partial<SourceRecord> = {}): SourceRecord {
  return {
    source: "segment",
    id: "message-1",
    occurredAt: HAPPENED,
    statedAt: HAPPENED,
    receivedAt: HAPPENED + 5_000,
    payload: {},
    ...changes,
  };
}

const anyRecord = fc.record({
  source: fc.string(),
  id: fc.string(),
  occurredAt: fc.integer({ min: 0, max: 2 ** 47 }),
  statedAt: fc.option(fc.integer({ min: 0, max: 2 ** 47 })),
  receivedAt: fc.integer({ min: 0, max: 2 ** 47 }),
  payload: fc.constant({}),
});

describe("ids", () => {
  it("are version 7 UUIDs that begin with the time the sender stated", () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(20), (any, index) => {
        const uuid = messageUuid(any, index);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)).toBe(any.statedAt ?? any.occurredAt);
      }),
    );
  });

  it("are the same on a retry that is received, or corrected for skew, otherwise", () => {
    const retried = record({ receivedAt: HAPPENED + 60_000, occurredAt: HAPPENED + 3 });
    expect(recordUuid(retried)).toBe(recordUuid(record()));
    expect(messageUuid(retried, 1)).toBe(messageUuid(record(), 1));
  });

  it("of a record without a stated time do not rest on when it came", () => {
    const first = record({ statedAt: null });
    expect(recordUuid({ ...first, occurredAt: HAPPENED + 9, receivedAt: HAPPENED + 99 })).toBe(recordUuid(first));
  });

  it.each([
    ["source", { source: "other" }],
    ["record id", { id: "message-2" }],
    ["stated time", { statedAt: HAPPENED + 1 }],
  ])("differ by %s", (_, change) => {
    expect(recordUuid(record(change))).not.toBe(recordUuid(record()));
    expect(messageUuid(record(change), 0)).not.toBe(messageUuid(record(), 0));
  });

  it("differ by output", () => {
    const uuids = Array.from({ length: 100 }, (_, index) => messageUuid(record(), index));
    expect(new Set(uuids).size).toBe(100);
  });

  it("never change between releases", () => {
    expect(recordUuid(record())).toBe("019dfc1d-8fb2-7d29-9292-516066172e86");
    expect(messageUuid(record(), 1)).toBe("019dfc1d-8fb2-765b-ac2e-09f224ad8cb5");
    expect(spreadHash("foobar")).toBe(0xbf9cf968); // A published FNV-1a vector.
  });
});

describe("spreadHash", () => {
  it("spreads numbered keys over 64 lanes within a third of even", () => {
    const lanes = new Array<number>(64).fill(0);
    for (let key = 0; key < 64_000; key++) {
      const lane = spreadHash(`d\0user-${key}`) % 64;
      lanes[lane] = (lanes[lane] ?? 0) + 1;
    }
    expect(Math.min(...lanes)).toBeGreaterThan(666);
    expect(Math.max(...lanes)).toBeLessThan(1334);
  });
});
