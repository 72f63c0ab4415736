/** What every ledger must do: the sentences of src/core/ledger.ts, run over each that we have. */

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeadLetterFilter, DeadLetterPage } from "../../src/core/dead-letter.ts";
import type { PrickleError } from "../../src/core/errors.ts";
import { personHash } from "../../src/core/identity.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Claim, Commit, Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import type { OutgoingMessage } from "../../src/core/message.ts";
import type { Rejection } from "../../src/core/record.ts";
import type { KnownRow } from "../../src/core/rows.ts";
import { EMPTY_RUN, type Run } from "../../src/core/runs.ts";
import { SERVICES, type Service } from "../../src/core/service.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { parcelOf } from "../fakes/parcels.ts";

export interface LedgerUnderTest {
  /** Opens the same store again after `close`. */
  open(options: LedgerTestOptions): Promise<Ledger>;
  /** Removes the store. */
  remove(): Promise<void>;
}

export interface LedgerTestOptions {
  readonly destinations: readonly string[];
  readonly maxDepth?: number;
  readonly seenDays?: number;
  readonly deadLetterDays?: number | null;
  readonly lanes?: number;
  readonly clock: ManualClock;
}

const DAY_MS = 86_400_000;
const DELIVERED: SettleOutcome = { kind: "delivered" };
const ALL = { service: "live" as const, maxMessages: 1000, maxBytes: 1_000_000, leaseMs: 10_000 };

export function describeLedger(name: string, create: () => Promise<LedgerUnderTest>): void {
  describe(`${name} as a ledger`, () => {
    let store: LedgerUnderTest;
    let clock: ManualClock;
    let ledger: Ledger;

    beforeEach(async () => {
      store = await create();
      clock = createManualClock();
      ledger = await store.open({ destinations: ["posthog"], clock });
    });
    afterEach(async () => {
      await ledger.close();
      await store.remove();
    });

    async function reopen(options: Partial<LedgerTestOptions> = {}): Promise<void> {
      await ledger.close();
      ledger = await store.open({ destinations: ["posthog"], clock, ...options });
    }

    const claimAll = (destination = "posthog") => ledger.claim({ ...ALL, destination });

    async function deliverAll(destination = "posthog"): Promise<string[]> {
      const delivered: string[] = [];
      for (let claim = await claimAll(destination); claim; claim = await claimAll(destination)) {
        delivered.push(...bodiesOf(claim));
        expect(await settleAll(claim)).toBe(true);
      }
      return delivered;
    }

    const settleAll = ({ id, messages }: Claim, outcome = DELIVERED) =>
      ledger.settle(
        id,
        messages.map(() => outcome),
      );

    describe("commit", () => {
      it("keeps what was committed over a restart, bytes and lane unchanged", async () => {
        const message = messageOf(3, "ä€😀\u0000");
        await ledger.commit(commitOf([message]));
        await reopen();
        expect(await claimAll()).toMatchObject({
          messages: [{ lane: 3, attempts: 0, firstAttemptAt: null }],
        });
        await clock.advance(ALL.leaseMs);
        expect(await deliverAll()).toEqual([message.json]);
      });

      it("leaves out records seen before, in the same commit or an earlier one, and names them", async () => {
        const first = recordOf(1, [messageOf(0, "a")]);
        const second = recordOf(2, [messageOf(0, "b"), messageOf(1, "c")]);
        expect(await ledger.commit({ parcels: [parcelOf([first, first, second])], rejections: [] })).toMatchObject({
          duplicates: [1],
          committed: 3,
        });
        await reopen();
        expect(
          await ledger.commit({ parcels: [parcelOf([second, recordOf(3, [messageOf(0, "d")])])], rejections: [] }),
        ).toMatchObject({
          duplicates: [0],
          committed: 1,
        });
        expect((await deliverAll()).sort()).toEqual(["a", "b", "c", "d"]);
        expect(await ledger.status()).toMatchObject({ committed: 4, duplicates: 2 });
      });

      it("stores the checkpoint with the messages, even if all of them are duplicates", async () => {
        const commit = commitOf([messageOf(0, "a")]);
        expect(await ledger.checkpoint("file")).toBeNull();
        await ledger.commit({ ...commit, checkpoint: { name: "file", cursor: "1" } });
        await ledger.commit({ ...commit, checkpoint: { name: "file", cursor: "2" } });
        await reopen();
        expect(await ledger.checkpoint("file")).toBe("2");
        expect(await ledger.checkpoint("other")).toBeNull();
      });

      it("answers calls made at the same time each with its own result, in the order they were made", async () => {
        const commits = Array.from({ length: 300 }, (_, index) => commitOf([messageOf(5, String(index))], index));
        const again = commits[7] ?? fail();
        const results = await Promise.all([...commits, again].map((commit) => ledger.commit(commit)));
        expect(results.map(({ committed }) => committed)).toEqual([...commits.map(() => 1), 0]);
        expect(await deliverAll()).toEqual(commits.map((_, index) => String(index)));
      });

      it("takes nothing when the outbox is as deep as it may be, and takes again when there is room", async () => {
        await reopen({ maxDepth: 2 });
        await ledger.commit(commitOf([messageOf(0, "a"), messageOf(0, "b")], 1));
        const refused = { ...commitOf([messageOf(0, "c")], 2), checkpoint: { name: "file", cursor: "1" } };
        await expect(ledger.commit({ ...refused, rejections: [rejectionOf("r")] })).rejects.toMatchObject({
          code: "LEDGER_FULL",
          retryAfterMs: expect.any(Number),
        } satisfies Partial<PrickleError>);
        expect(await ledger.checkpoint("file")).toBeNull();
        expect(await ledger.listRejections({ limit: 10 })).toEqual([]);
        expect(await deliverAll()).toEqual(["a", "b"]);
        expect(await ledger.commit(refused)).toMatchObject({ duplicates: [], committed: 1 });
        expect(await deliverAll()).toEqual(["c"]);
      });
    });

    it("leaves the last fifth of the outbox to those who cannot wait, as one who has a checkpoint can", async () => {
      await reopen({ maxDepth: 10 });
      const page = (count: number, record: number) => {
        const messages = Array.from({ length: count }, () => messageOf(0, "page"));
        return { ...commitOf(messages, record), checkpoint: { name: "file", cursor: String(record) } };
      };
      await ledger.commit(page(8, 1));
      await expect(ledger.commit(page(1, 2))).rejects.toMatchObject({ code: "LEDGER_FULL" });
      for (const call of [3, 4]) await ledger.commit(commitOf([messageOf(1, "call")], call));
      await expect(ledger.commit(commitOf([messageOf(1, "call")], 5))).rejects.toMatchObject({ code: "LEDGER_FULL" });
      await deliverAll();
      expect(await ledger.commit(page(1, 2))).toMatchObject({ committed: 1 });
    });

    describe("rejections", () => {
      it("are kept, newest first, with what was refused and why", async () => {
        await ledger.commit({ parcels: [], rejections: [rejectionOf("one"), rejectionOf("two")] });
        await reopen();
        const kept = await ledger.listRejections({ limit: 10 });
        expect(kept).toMatchObject([rejectionOf("two"), rejectionOf("one")]);
        expect(await ledger.listRejections({ limit: 1 })).toHaveLength(1);
      });

      it("are counted once for a record that comes again, and each time if it has no id", async () => {
        await ledger.commit({ parcels: [], rejections: [rejectionOf("one"), rejectionOf(null)] });
        await ledger.commit({
          parcels: [],
          rejections: [{ ...rejectionOf("one"), detail: "newer" }, rejectionOf(null)],
        });
        expect(await ledger.status()).toMatchObject({ rejected: 3, rejectedByReason: { missing_user: 3 } });
        const details = (await ledger.listRejections({ limit: 10 })).map(({ detail }) => detail);
        expect(details.sort()).toEqual(["newer", "why", "why"]);
      });
    });

    describe("what is known of groups", () => {
      const group = (groupKey: string, properties: JsonObject, groupType = "company") =>
        ({ groupType, groupKey, properties, occurredAt: 7 }) as const;

      it("is the last word of the commits on each, over a restart, for the types asked", async () => {
        const nothing = { parcels: [], rejections: [] };
        await ledger.commit({ ...nothing, groups: [group("acme", { plan: "free" }), group("p1", {}, "project")] });
        await ledger.commit({ ...nothing, groups: [group("acme", { plan: "pro", ä: [1] }), group("beta", {})] });
        await reopen();
        expect(await ledger.groups(["company"])).toEqual([group("acme", { plan: "pro", ä: [1] }), group("beta", {})]);
        expect(await ledger.groups(["project", "other"])).toEqual([group("p1", {}, "project")]);
      });

      it("is not changed by a commit that is refused", async () => {
        await reopen({ maxDepth: 0 });
        const full = { ...commitOf([messageOf(0, "a")]), groups: [group("acme", {})] };
        await expect(ledger.commit(full)).rejects.toMatchObject({ code: "LEDGER_FULL" });
        expect(await ledger.groups(["company"])).toEqual([]);
      });
    });

    describe("what is known of rows", () => {
      const row = (id: string, more: Partial<KnownRow> = {}): KnownRow => {
        return { id, digest: "d", toldAt: 5, seenAt: 10, state: "live", ...more };
      };
      const putRows = (source: string, rows: readonly KnownRow[]) =>
        ledger.commit({ source, parcels: [], rejections: [], rows });

      it("is the last word on each row of a source, kept with the commit over a restart", async () => {
        await putRows("crm", [row("1"), row("2"), row("ä")]);
        await putRows("crm", [row("2", { digest: "e", seenAt: 20, state: "archived" })]);
        await putRows("other", [row("1", { digest: "o" })]);
        await reopen();
        const rows = await ledger.rows({ source: "crm", ids: ["ä", "2", "unknown"] });
        expect(rows).toEqual([row("2", { digest: "e", seenAt: 20, state: "archived" }), row("ä")]);
        expect(await ledger.rows({ source: "other", ids: ["1"] })).toEqual([row("1", { digest: "o" })]);
      });

      it("tells the live ones that no run saw, page by page, and how many there are", async () => {
        await putRows("crm", [row("a"), row("b", { seenAt: 20 }), row("c"), row("d", { state: "gone" }), row("e")]);
        await putRows("other", [row("b")]);
        const unseen = (after: string | null) => ledger.unseenRows({ source: "crm", before: 20, after, limit: 2 });
        expect((await unseen(null)).map(({ id }) => id)).toEqual(["a", "c"]);
        expect((await unseen("c")).map(({ id }) => id)).toEqual(["e"]);
        expect(await ledger.countRows({ source: "crm", before: 20 })).toEqual({ live: 4, unseen: 3 });
        expect(await ledger.countRows({ source: "nobody", before: 20 })).toEqual({ live: 0, unseen: 0 });
      });

      it("is not changed by a commit that is refused", async () => {
        await reopen({ maxDepth: 1 });
        await ledger.commit(commitOf([messageOf(0, "fills it")]));
        const refused = { ...commitOf([messageOf(0, "one too many")], 2), source: "crm", rows: [row("1")] };
        await expect(ledger.commit(refused)).rejects.toMatchObject({ code: "LEDGER_FULL" });
        expect(await ledger.rows({ source: "crm", ids: ["1"] })).toEqual([]);
      });
    });

    describe("runs", () => {
      const run = (source: string, startedAt: number, more: Partial<Run> = {}): Run => {
        return { ...EMPTY_RUN, source, kind: "full", startedAt, ...more };
      };

      it("are kept over a restart, newest first, each in the place of what was kept of it", async () => {
        await ledger.putRun(run("crm", 1));
        await ledger.putRun(run("other", 2, { rejected: { no_rule: 3 } }));
        await ledger.putRun(run("crm", 3, { warnings: ["w"], window: { from: 1, to: 2 } }));
        await ledger.putRun(run("crm", 1, { outcome: "complete", read: 9 }));
        await reopen();
        const first = run("crm", 1, { outcome: "complete", read: 9 });
        const last = run("crm", 3, { warnings: ["w"], window: { from: 1, to: 2 } });
        expect(await ledger.runs({ limit: 10 })).toEqual([last, run("other", 2, { rejected: { no_rule: 3 } }), first]);
        expect(await ledger.runs({ source: "crm", limit: 10 })).toEqual([last, first]);
        expect(await ledger.runs({ source: "crm", limit: 1 })).toEqual([last]);
      });

      it("are forgotten beyond the last thousand of their source", async () => {
        await Promise.all(Array.from({ length: 1003 }, (_, index) => ledger.putRun(run("crm", index + 1))));
        await ledger.putRun(run("other", 1));
        await ledger.prune();
        const kept = await ledger.runs({ limit: 2000 });
        expect(kept).toHaveLength(1001);
        expect(kept.at(-2)?.startedAt).toBe(4);
      });
    });

    describe("claim", () => {
      it("gives the messages of a lane in the order they were committed", async () => {
        const texts = Array.from({ length: 50 }, (_, index) => String(index));
        for (const [index, text] of texts.entries()) await ledger.commit(commitOf([messageOf(9, text)], index));
        const claim = await ledger.claim({ ...ALL, destination: "posthog", maxMessages: 30 });
        expect(bodiesOf(claim)).toEqual(texts.slice(0, 30));
      });

      it("holds the lanes it took, and no others, until they are settled", async () => {
        await ledger.commit(commitOf([messageOf(1, "a"), messageOf(1, "b"), messageOf(2, "c")]));
        const first = await ledger.claim({ ...ALL, destination: "posthog", maxMessages: 1 });
        const second = await claimAll();
        const lanes = [first, second].map((claim) => claim?.messages[0]?.lane);
        expect(new Set(lanes)).toEqual(new Set([1, 2]));
        expect(await claimAll()).toBeNull();
        await settleAll(first ?? fail());
        await settleAll(second ?? fail());
        expect((await deliverAll()).length).toBe(first?.messages[0]?.lane === 1 ? 1 : 0);
        expect((await ledger.status()).depth).toBe(0);
      });

      it("keeps to its bounds of messages and bytes, but gives a single larger message alone", async () => {
        await ledger.commit(commitOf(["aaaa", "bbbb", "cccccccccccc", "d"].map((text) => messageOf(0, text))));
        const bounded = { ...ALL, destination: "posthog", maxBytes: 8 };
        const batches: (readonly string[])[] = [];
        for (let claim = await ledger.claim(bounded); claim; claim = await ledger.claim(bounded)) {
          batches.push(bodiesOf(claim));
          await settleAll(claim);
        }
        expect(batches).toEqual([["aaaa", "bbbb"], ["cccccccccccc"], ["d"]]);
      });

      it("lets no lane starve", async () => {
        const many = Array.from({ length: 20 }, (_, index) => messageOf(0, `many ${index}`));
        await ledger.commit(commitOf([...many, messageOf(7, "one")]));
        const lanes: number[] = [];
        for (let turn = 0; turn < 2; turn++) {
          const claim = (await ledger.claim({ ...ALL, destination: "posthog", maxMessages: 5 })) ?? fail();
          lanes.push(...claim.messages.map(({ lane }) => lane));
          await settleAll(claim);
        }
        expect(lanes).toContain(7);
      });

      it("gives what was claimed but never settled again when the lease has run out, or after a restart", async () => {
        await ledger.commit(commitOf([messageOf(0, "a")]));
        const stale = (await claimAll()) ?? fail();
        expect(await claimAll()).toBeNull();
        await clock.advance(ALL.leaseMs);
        const anew = await claimAll();
        expect(bodiesOf(anew)).toEqual(["a"]);
        expect(await settleAll(stale)).toBe(false);
        await reopen();
        expect(await deliverAll()).toEqual(["a"]);
      });

      it("may be settled late as long as nobody else claimed its lanes", async () => {
        await ledger.commit(commitOf([messageOf(0, "a")]));
        const late = (await claimAll()) ?? fail();
        await clock.advance(ALL.leaseMs * 2);
        expect(await settleAll(late)).toBe(true);
        expect(await settleAll(late)).toBe(false);
        expect(await claimAll()).toBeNull();
      });
    });

    describe("settle", () => {
      it("never gives again what was delivered or died, also when an earlier one of its lane is to be retried", async () => {
        await ledger.commit(commitOf(["a", "b", "c", "d"].map((text) => messageOf(0, text))));
        const { id } = (await claimAll()) ?? fail();
        const dueAt = clock.now() + 1000;
        await ledger.settle(id, [
          DELIVERED,
          { kind: "retry", reason: "busy", dueAt },
          DELIVERED,
          { kind: "dead", reason: "wrong" },
        ]);
        expect(await claimAll()).toBeNull();
        await reopen();
        await clock.advance(999);
        expect(await claimAll()).toBeNull();
        await clock.advance(1);
        expect(await deliverAll()).toEqual(["b"]);
        expect(await ledger.status()).toMatchObject({
          depth: 0,
          destinations: [{ delivered: 3, retried: 1, dead: 1 }],
        });
      });

      it("counts the failures of each message and keeps the time of the first, over a restart", async () => {
        await ledger.commit(commitOf([messageOf(0, "a"), messageOf(0, "b")]));
        const firstAttemptAt = clock.now();
        for (const expected of [0, 1, 2]) {
          const claim = (await claimAll()) ?? fail();
          const past = { attempts: expected, firstAttemptAt: expected === 0 ? null : firstAttemptAt };
          expect(claim.messages).toMatchObject([past, past]);
          await settleAll(claim, { kind: "retry", reason: `busy ${expected}`, dueAt: clock.now() + 10 });
          await clock.advance(10);
          await reopen();
        }
        expect(await ledger.status()).toMatchObject({
          destinations: [{ waitingLanes: [{ lane: 0, depth: 2, attempts: 3, lastFailure: "busy 2" }] }],
        });
      });

      it("holds back only the lane that failed", async () => {
        await ledger.commit(commitOf([messageOf(0, "a"), messageOf(1, "b")]));
        const { id, messages } = (await claimAll()) ?? fail();
        const retry: SettleOutcome = { kind: "retry", reason: "busy", dueAt: clock.now() + 60_000 };
        await ledger.settle(
          id,
          messages.map(({ lane }) => (lane === 0 ? retry : DELIVERED)),
        );
        await ledger.commit(commitOf([messageOf(0, "c"), messageOf(1, "d")], 2));
        expect(await deliverAll()).toEqual(["d"]);
        await clock.advance(60_000);
        expect(await deliverAll()).toEqual(["a", "c"]);
      });
    });

    describe("destinations", () => {
      it("each have their own position, and a message stays until all are past it", async () => {
        await reopen({ destinations: ["posthog", "engine"] });
        await ledger.commit(commitOf([messageOf(0, "a"), messageOf(1, "b")]));
        expect((await deliverAll("posthog")).sort()).toEqual(["a", "b"]);
        expect(await ledger.status()).toMatchObject({ depth: 2, destinations: [{ depth: 0 }, { depth: 2 }] });
        await reopen({ destinations: ["posthog", "engine"] });
        expect(await deliverAll("posthog")).toEqual([]);
        expect((await deliverAll("engine")).sort()).toEqual(["a", "b"]);
        expect((await ledger.status()).depth).toBe(0);
      });

      it("added later begin with what is in the outbox, and removed ones hold nothing back", async () => {
        await ledger.commit(commitOf([messageOf(0, "a")]));
        await reopen({ destinations: ["engine"] });
        expect(await deliverAll("engine")).toEqual(["a"]);
        expect((await ledger.status()).depth).toBe(0);
        await ledger.commit(commitOf([messageOf(0, "b")], 2));
        await reopen({ destinations: ["posthog", "engine"] });
        expect(await deliverAll("engine")).toEqual(["b"]);
        expect(await deliverAll("posthog")).toContain("b");
      });
    });

    describe("dead letters", () => {
      async function killAll(destination = "posthog"): Promise<void> {
        const claim = (await claimAll(destination)) ?? fail();
        await settleAll(claim, { kind: "dead", reason: "too odd" });
      }

      it("keep reason, attempts, times and the exact message", async () => {
        const message = messageOf(4, '{"event":"ä"}');
        await ledger.commit(commitOf([message]));
        const firstAttemptAt = clock.now();
        await settleAll((await claimAll()) ?? fail(), { kind: "retry", reason: "busy", dueAt: clock.now() });
        await clock.advance(5000);
        await killAll();
        await reopen();
        expect(await ledger.listDeadLetters({})).toEqual([
          {
            id: expect.any(Number),
            destination: "posthog",
            uuid: message.uuid,
            lane: 4,
            reason: "too odd",
            attempts: 2,
            firstAttemptAt,
            diedAt: clock.now(),
            body: message.json,
          },
        ]);
      });

      it("go back to the end of their lane, for their own destination only", async () => {
        await reopen({ destinations: ["posthog", "engine"] });
        const message = messageOf(0, "a");
        await ledger.commit(commitOf([message]));
        await killAll("posthog");
        await deliverAll("engine");
        await ledger.commit(commitOf([messageOf(0, "b")], 2));
        expect(await ledger.replayDeadLetters({})).toBe(1);
        expect(await ledger.listDeadLetters({})).toEqual([]);
        await reopen({ destinations: ["posthog", "engine"] });
        expect(await deliverAll("engine")).toEqual(["b"]);
        const claim = (await claimAll("posthog")) ?? fail();
        expect(bodiesOf(claim)).toEqual(["b", "a"]);
        expect(claim.messages[1]).toMatchObject({ attempts: 0 });
        await settleAll(claim);
        expect((await ledger.status()).depth).toBe(0);
      });

      it("are listed, replayed and dropped by id, destination and number", async () => {
        await ledger.commit(commitOf(["a", "b", "c"].map((text) => messageOf(0, text))));
        await killAll();
        const ids = (await ledger.listDeadLetters({})).map(({ id }) => id);
        expect(await ledger.listDeadLetters({ destination: "engine" })).toEqual([]);
        expect(await ledger.listDeadLetters({ ids: [] })).toEqual([]);
        expect(await ledger.listDeadLetters({ limit: 2 })).toHaveLength(2);
        expect(await ledger.countDeadLetters({})).toBe(3);
        expect(await ledger.countDeadLetters({ ids: ids.slice(1), limit: 1 })).toBe(1);
        expect(await ledger.countDeadLetters({ destination: "engine" })).toBe(0);
        expect(await ledger.dropDeadLetters({ ids: ids.slice(0, 1) })).toBe(1);
        expect(await ledger.replayDeadLetters({ destination: "posthog", limit: 1 })).toBe(1);
        expect(await deliverAll()).toEqual(["b"]);
        expect((await ledger.listDeadLetters({})).map(({ body }) => body)).toEqual(["c"]);
      });

      it("are chosen by reason, event, group and time of death", async () => {
        const event = (name: string, $groups: object = {}) => JSON.stringify({ event: name, properties: { $groups } });
        const identify = (type: string, key: string) =>
          JSON.stringify({
            event: "$groupidentify",
            properties: { $group_type: type, $group_key: key, $group_set: {} },
          });
        const bodies = [
          event("Seen", { company: "acme" }),
          event("Seen"),
          event("Left", { company: "beta", 'odd"type': "acme" }),
          identify("company", "acme"),
          identify("project", "acme"),
          "no JSON",
        ];
        const startedAt = clock.now();
        for (const [index, body] of bodies.entries()) {
          await ledger.commit(commitOf([messageOf(0, body)], index));
          const reason = index % 2 === 0 ? `PostHog answered 413: ${index}` : "100% wrong";
          await settleAll((await claimAll()) ?? fail(), { kind: "dead", reason });
          await clock.advance(1000);
        }
        const numbersOf = async (filter: DeadLetterFilter) =>
          (await ledger.listDeadLetters(filter)).map(({ body }) => bodies.indexOf(body));
        expect(await numbersOf({ reason: "ANSWERED 413" })).toEqual([0, 2, 4]);
        expect(await numbersOf({ reason: "100%" })).toEqual([1, 3, 5]);
        expect(await numbersOf({ event: "Seen" })).toEqual([0, 1]);
        expect(await numbersOf({ groupType: "company" })).toEqual([0, 2, 3]);
        expect(await numbersOf({ groupType: "company", groupKey: "acme" })).toEqual([0, 3]);
        expect(await numbersOf({ groupType: 'odd"type', groupKey: "acme" })).toEqual([2]);
        expect(await numbersOf({ diedFrom: startedAt + 2000, diedBefore: startedAt + 4000 })).toEqual([2, 3]);
        expect(await numbersOf({ groupType: "company", reason: "wrong", limit: 1 })).toEqual([3]);
        expect(await ledger.dropDeadLetters({ event: "Seen", reason: "413" })).toBe(1);
        expect(await ledger.replayDeadLetters({ groupType: "company", limit: 1 })).toBe(1);
        expect(await numbersOf({})).toEqual([1, 3, 4, 5]);
        expect(await deliverAll()).toEqual([bodies[2]]);
      });

      it("are listed page by page, each of so many and so large", async () => {
        await ledger.commit(commitOf(["a", "bb", "ccc", "d"].map((text) => messageOf(0, text))));
        await killAll();
        const bodiesAfter = async (page: DeadLetterFilter & DeadLetterPage) =>
          (await ledger.listDeadLetters(page)).map(({ body }) => body);
        const [first, , third] = await ledger.listDeadLetters({});
        expect(await bodiesAfter({ after: first?.id ?? 0 })).toEqual(["bb", "ccc", "d"]);
        expect(await bodiesAfter({ after: first?.id ?? 0, maxBytes: 4 })).toEqual(["bb"]);
        expect(await bodiesAfter({ maxBytes: 0 })).toEqual(["a"]);
        expect(await bodiesAfter({ after: third?.id ?? 0, limit: 1 })).toEqual(["d"]);
      });

      it("go back with another text, of the same uuid and time, into the lane of whom it is about", async () => {
        const lanes = ledger.lanes;
        const before = { event: "Seen", distinct_id: "null", uuid: uuidOf(1), timestamp: "2026-01-01T00:00:00.000Z" };
        await ledger.commit(commitOf([messageOf(0, JSON.stringify({ ...before, properties: {} }))]));
        await killAll();
        const [{ id } = fail()] = await ledger.listDeadLetters({});
        const edited = { ...before, distinct_id: "ada", properties: { plan: "pro" } };
        const moved = JSON.stringify({ ...edited, uuid: uuidOf(2) });
        await expect(ledger.replayEdited({ id, body: moved })).rejects.toMatchObject({
          code: "INPUT_INVALID",
          message: `uuid must stay "${uuidOf(1)}"; found "${uuidOf(2)}".`,
        } satisfies Partial<PrickleError>);
        await expect(ledger.replayEdited({ id: id + 1, body: moved })).rejects.toMatchObject({ code: "NOT_FOUND" });
        expect(await ledger.listDeadLetters({})).toHaveLength(1);
        await ledger.replayEdited({ id, body: JSON.stringify(edited, null, 2) });
        await reopen();
        expect(await ledger.listDeadLetters({})).toEqual([]);
        const claim = (await claimAll()) ?? fail();
        expect(claim.messages).toMatchObject([{ lane: personHash("ada") % lanes }]);
        expect(bodiesOf(claim).map((body) => JSON.parse(body))).toEqual([edited]);
      });

      it("are kept for ever, or forgotten after so many days, and then counted", async () => {
        await ledger.commit(commitOf([messageOf(0, "a")], 1));
        await killAll();
        await clock.advance(30 * DAY_MS);
        await ledger.commit(commitOf([messageOf(0, "b")], 2));
        await killAll();
        await ledger.prune();
        expect(await ledger.listDeadLetters({})).toHaveLength(2);
        await reopen({ deadLetterDays: 30 });
        await clock.advance(1);
        await ledger.prune();
        expect((await ledger.listDeadLetters({})).map(({ body }) => body)).toEqual(["b"]);
        expect(await ledger.status()).toMatchObject({ expired: 1, destinations: [{ dead: 1 }] });
      });
    });

    describe("prune", () => {
      it("keeps seen ids for seven full days and forgets them afterwards", async () => {
        await reopen({ seenDays: 7 });
        const commit = commitOf([messageOf(0, "a")]);
        await ledger.commit(commit);
        await clock.advance(7 * DAY_MS);
        expect(await ledger.prune()).toBe(0);
        expect((await ledger.commit(commit)).duplicates).toEqual([0]);
        await clock.advance(DAY_MS);
        expect(await ledger.prune()).toBe(1);
        expect((await ledger.commit(commit)).duplicates).toEqual([]);
      });

      it("goes through all ids, in slices", async () => {
        const records = Array.from({ length: 12_000 }, (_, index) => recordOf(index, [messageOf(0, "x")]));
        await ledger.commit({ parcels: [parcelOf(records)], rejections: [] });
        await clock.advance(9 * DAY_MS);
        expect(await ledger.prune()).toBe(12_000);
        expect(await ledger.prune()).toBe(0);
      });
    });

    describe("status", () => {
      it("says how old the oldest waiting message is and when something is due", async () => {
        expect(await ledger.status()).toMatchObject({
          depth: 0,
          destinations: [{ depth: 0, oldestCommittedAt: null, nextDueAt: null, waitingLanes: [] }],
        });
        const committedAt = clock.now();
        await ledger.commit(commitOf([messageOf(0, "a")], 1));
        await clock.advance(500);
        await ledger.commit(commitOf([messageOf(1, "b")], 2));
        const { destinations } = await ledger.status();
        expect(destinations[0]).toMatchObject({ depth: 2, oldestCommittedAt: committedAt });
        expect(destinations[0]?.nextDueAt).toBeLessThanOrEqual(clock.now());
        const { id } = (await claimAll()) ?? fail();
        const dueAt = clock.now() + 700;
        await ledger.settle(id, [DELIVERED, { kind: "retry", reason: "busy", dueAt }]);
        expect((await ledger.status()).destinations[0]).toMatchObject({ depth: 1, nextDueAt: dueAt });
      });
    });

    it("delivers everything once and in lane order, whatever fails and whenever it is opened again", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          await store.remove();
          store = await create();
          await ledger.close();
          ledger = await store.open({ destinations: ["posthog", "engine"], clock, lanes: 4 });
          await expectSteps(steps);
        }),
        { numRuns: 15 },
      );
    });

    describe("services", () => {
      const LANES = 4;
      const history = () => ledger.claim({ ...ALL, destination: "posthog", service: "historical" });
      beforeEach(async () => {
        await ledger.close();
        await store.remove();
        store = await create();
        ledger = await store.open({ destinations: ["posthog"], clock, lanes: LANES });
      });

      it("share nothing: what is claimed is of one, and neither keeps the other waiting", async () => {
        await ledger.commit(commitOf([messageOf(LANES + 1, "old"), messageOf(1, "new")]));
        const claim = (await history()) ?? fail();
        expect(claim.messages).toMatchObject([{ lane: LANES + 1, historical: true }]);
        const live = (await claimAll()) ?? fail();
        expect(live.messages).toMatchObject([{ lane: 1, historical: false }]);
        expect(await Promise.all([history(), claimAll()])).toEqual([null, null]);
        expect(await settleAll(claim, { kind: "retry", reason: "busy", dueAt: clock.now() + 1 })).toBe(true);
        await settleAll(live);
        expect(await claimAll()).toBeNull();
        await reopen();
        await clock.advance(1);
        expect(bodiesOf(await history())).toEqual(["old"]);
      });

      it("give history in about the order in which it came: first the lane that is furthest behind", async () => {
        for (const [at, lane] of [3, 1, 2, 3, 1, 0].entries()) {
          await clock.advance(1);
          await ledger.commit(commitOf([messageOf(LANES + lane, `${lane} at ${at}`)], at));
        }
        const two = { ...ALL, destination: "posthog", service: "historical", maxMessages: 2 } as const;
        const texts: (readonly string[])[] = [];
        for (let claim = await ledger.claim(two); claim; claim = await ledger.claim(two)) {
          texts.push(bodiesOf(claim));
          await settleAll(claim);
        }
        expect(texts).toEqual([
          ["3 at 0", "3 at 3"],
          ["1 at 1", "1 at 4"],
          ["2 at 2", "0 at 5"],
        ]);
      });

      it("each say how much waits, and since when", async () => {
        const startedAt = clock.now();
        await ledger.commit(commitOf([messageOf(LANES, "a"), messageOf(LANES, "b")], 1));
        await clock.advance(5);
        await ledger.commit(commitOf([messageOf(0, "c")], 2));
        const { lanes, depth, destinations } = await ledger.status();
        expect({ lanes, depth }).toEqual({ lanes: LANES, depth: 3 });
        expect(destinations).toMatchObject([
          {
            depth: 3,
            oldestCommittedAt: startedAt,
            services: {
              live: { depth: 1, oldestCommittedAt: startedAt + 5 },
              historical: { depth: 2, oldestCommittedAt: startedAt },
            },
            waitingLanes: [
              { lane: 0, service: "live", depth: 1 },
              { lane: LANES, service: "historical", depth: 2 },
            ],
          },
        ]);
      });

      it("keep what is replayed: history goes back to its lane", async () => {
        await ledger.commit(commitOf([messageOf(LANES + 2, "old")]));
        await settleAll((await history()) ?? fail(), { kind: "dead", reason: "wrong" });
        expect(await ledger.replayDeadLetters({})).toBe(1);
        expect(await claimAll()).toBeNull();
        expect((await history())?.messages).toMatchObject([{ lane: LANES + 2, historical: true }]);
      });
    });

    /** Carries out the steps, then delivers the rest, and compares with what was committed. */
    async function expectSteps(steps: readonly Step[]): Promise<void> {
      const noneYet = () => Array.from({ length: 8 }, (): string[] => []);
      const committed = noneYet();
      const got = new Map(["posthog", "engine"].map((name) => [name, noneYet()]));
      let texts = 0;
      const settle = async (destination: string, claim: Claim, outcomes: readonly SettleOutcome["kind"][]) => {
        // A destination must not deliver past a failure if it wants order: this one stops the lane there.
        const stopped = new Set<number>();
        const settled = claim.messages.map(({ lane, body }, index): SettleOutcome => {
          const kind = stopped.has(lane) ? "retry" : (outcomes[index % Math.max(1, outcomes.length)] ?? "delivered");
          if (kind === "retry") {
            stopped.add(lane);
            return { kind, reason: "busy", dueAt: clock.now() };
          }
          got.get(destination)?.[lane]?.push(textOf(body));
          return kind === "dead" ? { kind, reason: "wrong" } : DELIVERED;
        });
        expect(await ledger.settle(claim.id, settled)).toBe(true);
      };
      for (const { kind, lanes, destination, service, outcomes, maxMessages } of steps) {
        if (kind === "reopen") await reopen({ destinations: ["posthog", "engine"] });
        if (kind === "commit") {
          const messages = lanes.map((lane) => messageOf(lane, String(texts++)));
          for (const { lane, json } of messages) committed[lane]?.push(json);
          await ledger.commit(commitOf(messages, texts));
        }
        const claim = kind === "claim" ? await ledger.claim({ ...ALL, destination, service, maxMessages }) : null;
        if (claim) await settle(destination, claim, outcomes);
      }
      for (const destination of ["posthog", "engine"]) {
        for (const service of SERVICES) {
          const claimNext = () => ledger.claim({ ...ALL, destination, service });
          for (let claim = await claimNext(); claim; claim = await claimNext()) await settle(destination, claim, []);
        }
        expect(got.get(destination)).toEqual(committed);
      }
      expect((await ledger.status()).depth).toBe(0);
    }
  });
}

interface Step {
  readonly kind: "commit" | "claim" | "reopen";
  readonly lanes: readonly number[];
  readonly destination: string;
  readonly service: Service;
  readonly outcomes: readonly SettleOutcome["kind"][];
  readonly maxMessages: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant("commit" as const) },
    { weight: 8, arbitrary: fc.constant("claim" as const) },
    { weight: 1, arbitrary: fc.constant("reopen" as const) },
  ),
  lanes: fc.array(fc.nat(7), { minLength: 1, maxLength: 12 }),
  destination: fc.constantFrom("posthog", "engine"),
  service: fc.constantFrom("live", "historical"),
  outcomes: fc.array(fc.constantFrom("delivered" as const, "delivered" as const, "retry" as const, "dead" as const)),
  maxMessages: fc.integer({ min: 1, max: 15 }),
});

let uuids = 0;

export function messageOf(lane: number, json: string): OutgoingMessage {
  return { lane, json, uuid: uuidOf(++uuids) };
}

export function commitOf(messages: readonly OutgoingMessage[], record = 1): Commit {
  return { parcels: [parcelOf([recordOf(record, messages)])], rejections: [] };
}

function recordOf(number: number, messages: readonly OutgoingMessage[]) {
  return { id: uuidOf(number), messages };
}

function uuidOf(number: number): string {
  return `019dfc1d-8fb2-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

export function rejectionOf(recordId: string | null): Rejection {
  return {
    source: "segment",
    recordId,
    reason: "missing_user",
    detail: "why",
    receivedAt: Date.UTC(2026, 9, 31),
    payload: { deep: [1, null, "ä"] },
  };
}

function bodiesOf(claim: Claim | null): readonly string[] {
  return claim?.messages.map(({ body }) => textOf(body)) ?? [];
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

function fail(): never {
  throw new Error("there should be something here");
}
