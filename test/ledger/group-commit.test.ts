import { expect, it, onTestFinished } from "vitest";
import type { JsonValue } from "../../src/core/json.ts";
import type { Commit } from "../../src/core/ledger.ts";
import { createGroupPacker } from "../../src/ledger/sqlite/group-bytes.ts";
import { createGroupCommit } from "../../src/ledger/sqlite/group-commit.ts";
import { createStoreRig } from "./store-rig.ts";

const EMPTY: Commit = { parcels: [], rejections: [] };
const TALLY = { messages: 0, saved: 0, stale: 0, attributed: 0, parked: 0, rejections: [], sharedKeys: [] };

it("tells who asked when a group cannot be put into bytes, and goes on with the next", async () => {
  const commit = createGroupCommit(async (bytes) => ({
    bytes,
    replies: [{ duplicates: [], committed: 0, attribution: TALLY }],
  }));
  const unwritable = { ...EMPTY, rejections: [{ detail: "", payload: 1n }] } as unknown as Commit; // JSON has no such number.
  // More of them than there are groups under way.
  for (let attempt = 0; attempt < 4; attempt++) await expect(commit(unwritable)).rejects.toThrow("BigInt");
  expect(await commit(EMPTY)).toMatchObject({ committed: 0 });
}, 10_000);

it("keeps groups to their size whatever they are made of", async () => {
  const sizes: number[] = [];
  const commit = createGroupCommit(async (bytes) => {
    sizes.push(bytes.length);
    // No more commits than there are places in it.
    return { bytes, replies: Array.from({ length: 40 }, () => ({ duplicates: [], committed: 0, attribution: TALLY })) };
  });
  await Promise.all(Array.from({ length: 40 }, () => commit(rejecting("x".repeat(500_000)))));
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(5_000_000);
});

it("lets go of the memory that an unusually large group needed", () => {
  const { pack, reuse } = createGroupPacker();
  const large = pack([rejecting("x".repeat(20_000_000))]);
  expect(large.buffer.byteLength).toBeGreaterThan(20_000_000);
  reuse(large);
  expect(pack([EMPTY]).buffer.byteLength).toBeLessThan(1_000_000);
});

it("stores more rejections than a call can have arguments", () => {
  const rig = createStoreRig();
  onTestFinished(() => rig.remove());
  const { rejections } = rejecting(null);
  const many = { ...EMPTY, rejections: Array.from({ length: 200_000 }, () => rejections[0] ?? fail()) };
  rig.ask("commit", { bytes: createGroupPacker().pack([many]) });
  expect(rig.ask("status", null).rejected).toBe(200_000);
});

function rejecting(payload: JsonValue): Commit {
  const rejection = {
    source: "s",
    recordId: null,
    reason: "not_a_call",
    detail: "why",
    receivedAt: 1,
    payload,
  } as const;
  return { ...EMPTY, rejections: [rejection] };
}

function fail(): never {
  throw new Error("there should be something here");
}
