import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { SourceRecord } from "../../src/core/record.ts";
import { createGroupPacker } from "../../src/ledger/sqlite/group-bytes.ts";
import type { Reply, Request } from "../../src/ledger/sqlite/protocol.ts";
import { openStore, type Store } from "../../src/ledger/sqlite/store.ts";
import { LANES, rulesOfSources } from "../pipeline/attributed.ts";
import { type AttributingLedger, callAt, commitOf, groupCall, openAttributing, trackCall } from "./attributing.ts";

const FIRST = [groupCall(1, "ann", "acme", { plan: "free" }), trackCall(2, "ann")];
const REFUSED = [
  groupCall(4, "ann", "beta", { plan: "pro" }),
  groupCall(5, "ann", "acme", { plan: "pro", seats: 2 }),
  callAt(3, { type: "identify", userId: "bob", anonymousId: "device" }),
  callAt(6, { type: "track", event: "Seen", anonymousId: "device" }),
];
/** Says of what was refused nothing, but would show it if it was known. */
const BETWEEN = [trackCall(7, "ann"), groupCall(8, "cleo", "acme", { plan: "free" }), groupCall(9, "bob", "core")];
const LAST = [trackCall(10, "ann"), callAt(11, { type: "track", event: "Seen", anonymousId: "device" })];

const { writeSync, fdatasyncSync } = fs;

describe("a commit that was refused", () => {
  it("by a full outbox changes nothing that is known: its retry says what it would have said", async () => {
    const rigs = [await openAttributing({ segment: {} }, { maxDepth: 2 }), await openAttributing()] as const;
    try {
      const outcomes = [];
      for (const [index, rig] of rigs.entries()) {
        await rig.commit(...FIRST);
        if (index === 0) await expect(rig.commit(...REFUSED)).rejects.toMatchObject({ code: "LEDGER_FULL" });
        outcomes.push([
          ...(await runOn(rig, FIRST.slice(2))),
          ...(await runOn(rig, BETWEEN)),
          ...(await runOn(rig, REFUSED)),
        ]);
        outcomes.push(await runOn(rig, LAST));
      }
      expect(outcomes.slice(0, 2)).toEqual(outcomes.slice(2));
    } finally {
      for (const rig of rigs) await rig.remove();
    }
  });
});

/** Every message that a commit of these leads to, whatever waited before. */
async function runOn(rig: AttributingLedger, records: readonly SourceRecord[]): Promise<readonly string[]> {
  const before = await rig.deliver();
  if (records.length > 0) await rig.commit(...records);
  return [...before, ...(await rig.deliver())].map((message) => JSON.stringify(message)).sort();
}

describe("a transaction that failed", () => {
  const stores: { readonly store: Store; readonly directory: string }[] = [];
  const { pack } = createGroupPacker();
  let ids = 0;

  async function open(): Promise<Store> {
    const directory = await mkdtemp(join(tmpdir(), "prickle-refused-"));
    const groupRules = rulesOfSources({ segment: {} });
    const log = { lanes: LANES, segmentBytes: 1e6, groupRules };
    const store = openStore({ directory, destinations: ["engine"], maxDepth: 1000, seenDays: 7, ...log });
    stores.push({ store, directory });
    return store;
  }

  afterEach(async () => {
    mend();
    for (const { store, directory } of stores.splice(0)) {
      store.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  function mend(): void {
    Object.assign(fs, { writeSync, fdatasyncSync });
    syncBuiltinESMExports();
  }

  const request = (...pages: readonly (readonly SourceRecord[])[]): Request => {
    const asks = { bytes: pack(pages.map((page) => commitOf(page))) };
    return { kind: "commit", asks, id: ids++, now: 1_000_000 };
  };

  /** What the log gets to say, without the uuids that no test needs. */
  const repliesOf = (replies: readonly Reply[]) =>
    replies.map((reply) => (reply.ok ? { ...reply, id: 0 } : reply.failure.code));

  function attributionsOf(replies: readonly Reply[]) {
    return repliesOf(replies).map((reply) =>
      typeof reply !== "string" && typeof reply.gives === "object" && reply.gives && "replies" in reply.gives
        ? reply.gives.replies
        : reply,
    );
  }

  it.each(["before the log has it", "when the tables are written"])(
    "%s changes nothing that is known",
    async (when) => {
      const [failing, plain] = [await open(), await open()];
      for (const store of [failing, plain]) store.carryOut([request(FIRST)]);
      if (when === "before the log has it") {
        fs.writeSync = (() => {
          throw Object.assign(new Error("ENOSPC: no space left on device, write"), {
            code: "ENOSPC",
            syscall: "write",
          });
        }) as typeof writeSync;
      } else {
        fs.fdatasyncSync = (file) => {
          fdatasyncSync(file);
          throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC", syscall: "later" });
        };
      }
      syncBuiltinESMExports();
      expect(repliesOf(failing.carryOut([request(REFUSED)]))).toEqual(["LEDGER_FULL"]);
      expect(repliesOf(failing.carryOut([request(REFUSED), request(BETWEEN, LAST)]))).toEqual([
        "LEDGER_FULL",
        "LEDGER_FULL",
      ]);
      mend();
      for (const page of [BETWEEN, REFUSED, LAST]) {
        expect(attributionsOf(failing.carryOut([request(page)]))).toEqual(
          attributionsOf(plain.carryOut([request(page)])),
        );
        expect(outboxOf(failing)).toEqual(outboxOf(plain));
      }
    },
  );

  function outboxOf(store: Store): unknown {
    const asks = { destination: "engine", service: "live" as const, maxMessages: 1000, maxBytes: 1e7, leaseMs: 1 };
    const now = 1_000_000 + 1_000 * ids;
    const [claimed] = store.carryOut([{ kind: "claim", asks, id: ids++, now }]);
    if (!claimed?.ok || typeof claimed.gives !== "object" || !claimed.gives || !("slots" in claimed.gives)) return null;
    return [claimed.gives.slots, Buffer.from(claimed.gives.bytes).toString("latin1")];
  }
});
