import { expect, it } from "vitest";
import type { Commit } from "../../src/core/ledger.ts";
import { createGroupCommit } from "../../src/ledger/sqlite/group-commit.ts";

const EMPTY: Commit = { parcels: [], rejections: [] };
const TALLY = { messages: 0, saved: 0, stale: 0, attributed: 0, parked: 0, rejections: [], sharedKeys: [] };

it("tells who asked when a group cannot be put into bytes, and goes on with the next", async () => {
  const commit = createGroupCommit(async (bytes) => ({
    bytes,
    replies: [{ duplicates: [], committed: 0, attribution: TALLY }],
  }));
  const unwritable = { ...EMPTY, rejections: [{ payload: 1n }] } as unknown as Commit; // JSON has no such number.
  // More of them than there are groups under way.
  for (let attempt = 0; attempt < 4; attempt++) await expect(commit(unwritable)).rejects.toThrow("BigInt");
  expect(await commit(EMPTY)).toMatchObject({ committed: 0 });
}, 10_000);
