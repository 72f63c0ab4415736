/** What the ledger says that a destination was sent of groups, and what it queues where that got lost. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Arrival, GroupRepair, HeldGroup } from "../../src/core/group-knowledge.ts";
import type { SettleOutcome } from "../../src/core/ledger.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { type AttributingLedger, type Delivered, groupCall, openAttributing } from "./attributing.ts";

let rig: AttributingLedger;
let clock: ManualClock;
beforeEach(async () => {
  clock = createManualClock();
  rig = await openAttributing({ segment: { nulls: "unset", volatile: ["visits"] } }, { clock });
});
afterEach(() => rig.remove());

const DEAD: SettleOutcome = { kind: "dead", reason: "wrong" };
const BOTH = ["engine", "posthog"];

async function held(destination = "engine", groupKey = "acme"): Promise<HeldGroup["properties"] | undefined> {
  const which = { groupType: "company", groupKeys: ["nobody", groupKey] };
  return (await rig.ledger.heldGroups({ destination, which }))[0]?.properties;
}

const repair = (names: readonly string[], destination = "engine", groupKey = "acme") =>
  rig.ledger.repairGroups({ destination, groups: [{ groupType: "company", groupKey, names }] });
const whole = (all: readonly Delivered[]) =>
  all.map(({ properties: { $group_set: set, $group_unset: unset } }) => set ?? unset);

describe("what a destination was sent of a group", () => {
  it("is each property as it counts now, with when it arrived: the key, what was removed and what waits too", async () => {
    await rig.commit(groupCall(1, "ann", "acme", { plan: "free", seats: 3, city: "Ulm" }));
    expect(await held()).toMatchObject({ plan: { value: "free", arrival: "waiting" } });
    await rig.deliver();
    const at = clock.now();
    await clock.advance(1000);
    await rig.commit(groupCall(2, "ann", "acme", { plan: "pro", seats: null }));
    expect(await held()).toEqual({
      group_key: { value: "acme", arrival: at },
      plan: { value: "pro", arrival: "waiting" },
      seats: { arrival: "waiting" },
      city: { value: "Ulm", arrival: at },
    });
    await rig.deliver();
    expect(await held()).toMatchObject({ plan: { arrival: at + 1000 }, seats: { arrival: at + 1000 } });
  });

  it("says what is held back or never arrived, until something newer did", async () => {
    await rig.commit(groupCall(1, "ann", "acme", { visits: 1 }));
    await rig.deliver();
    await rig.commit(groupCall(2, "ann", "acme", { visits: 2 }));
    expect(await held()).toMatchObject({ visits: { arrival: "unsent" } });
    await rig.commit(groupCall(3, "ann", "acme", { plan: "pro" }));
    await rig.deliver(() => DEAD);
    expect(await held()).toMatchObject({ visits: { arrival: "unsent" }, plan: { arrival: "unsent" } });
    await rig.ledger.replayDeadLetters({});
    expect(await held()).toMatchObject({ plan: { value: "pro", arrival: "waiting" } });
    await rig.reopen();
    await rig.deliver();
    expect(await held()).toMatchObject({ plan: { value: "pro", arrival: clock.now() }, visits: { value: 2 } });
  });

  it("comes in pages that hold each group once, by type and key", async () => {
    const keys = Array.from({ length: 25 }, (_, index) => `k${index}`);
    await rig.commit(...keys.map((key, index) => groupCall(index + 1, "ann", key)));
    const found: string[] = [];
    let last: HeldGroup | null = null;
    for (let page: readonly HeldGroup[] = []; found.length === 0 || page.length === 10; ) {
      page = await rig.ledger.heldGroups({ destination: "engine", which: { after: last, limit: 10 } });
      found.push(...page.map(({ groupKey }) => groupKey));
      last = page.at(-1) ?? null;
    }
    expect(found).toEqual(keys.toSorted());
  });

  it("is nothing where the destination was added later, when the outbox had let go of it", async () => {
    await rig.remove();
    rig = await openAttributing({ segment: {} }, { clock, segmentBytes: 100 });
    await rig.commit(groupCall(1, "ann", "acme", { plan: "free" }));
    await rig.commit(groupCall(2, "ann", "beta"));
    await rig.deliver();
    await rig.reopen(BOTH);
    const arrivals = async () => Object.values((await held("posthog")) ?? {}).map(({ arrival }) => arrival);
    expect(await arrivals()).toEqual(["never", "never"] satisfies Arrival[]);
    await rig.commit(groupCall(3, "ann", "acme", { seats: 1 }));
    expect(await held("posthog")).toMatchObject({ plan: { arrival: "never" }, seats: { arrival: "waiting" } });
  });
});

describe("a repair", () => {
  beforeEach(async () => {
    await rig.reopen(BOTH);
    await rig.commit(groupCall(1, "ann", "acme", { plan: "free", seats: 3, city: "Ulm" }));
    await rig.commit(groupCall(2, "ann", "acme", { seats: null }));
    await rig.deliver();
    await rig.deliver(undefined, "posthog");
  });

  it("says again what counts now, for its destination alone, under a new id and time", async () => {
    expect(await repair(["plan", "seats", "group_key"], "posthog")).toEqual({ identifies: 1, removals: 1 });
    expect(await held("posthog")).toMatchObject({ plan: { arrival: "waiting" }, seats: { arrival: "waiting" } });
    expect(await held("posthog")).toMatchObject({ city: { arrival: clock.now() } });
    expect(await held()).toMatchObject({ plan: { arrival: clock.now() } });
    expect(await rig.deliver()).toEqual([]);
    await rig.reopen();
    const sent = await rig.deliver(undefined, "posthog");
    expect(whole(sent)).toEqual([{ plan: "free", group_key: "acme" }, ["seats"]]);
    expect(new Set(sent.map(({ uuid }) => uuid)).size).toBe(2);
    expect(await held("posthog")).toMatchObject({ plan: { arrival: clock.now() } });
    expect(await repair(["plan"], "posthog")).toEqual({ identifies: 1, removals: 0 });
    const [again] = await rig.deliver(undefined, "posthog");
    expect(sent.map(({ uuid }) => uuid)).not.toContain(again?.uuid);
  });

  it("can be traced, as prickle's own and for its destination alone", async () => {
    await repair(["plan", "seats"], "posthog");
    const sent = await rig.deliver(undefined, "posthog");
    const [{ uuid = "" } = {}] = sent;
    const { records } = await rig.ledger.trace({ id: uuid });
    expect(records).toMatchObject([
      {
        ...{ source: "(prickle)", id: expect.stringMatching(/^repair of posthog at 20/), rule: "verify" },
        outputs: [
          { uuid, event: "$groupidentify", group: { groupType: "company", groupKey: "acme" } },
          { uuid: sent[1]?.uuid, event: "$group_unset" },
        ],
      },
    ]);
    const deliveries = records.flatMap(({ outputs }) => outputs.flatMap((output) => output.deliveries));
    const delivered = { destination: "posthog", state: { kind: "delivered", at: clock.now() } };
    expect(deliveries).toMatchObject([delivered, delivered]);
  });

  it("leaves out what waits already: the newer change wins, in whatever order they come", async () => {
    await rig.commit(groupCall(3, "ann", "acme", { plan: "pro" }));
    expect(await repair(["plan", "city"], "posthog")).toEqual({ identifies: 1, removals: 0 });
    expect(await repair(["plan", "city"], "posthog")).toEqual({ identifies: 0, removals: 0 });
    await rig.commit(groupCall(4, "ann", "acme", { city: "Bonn" }));
    expect(whole(await rig.deliver(undefined, "posthog"))).toEqual([
      { plan: "pro" },
      { city: "Ulm" },
      { city: "Bonn" },
    ]);
  });

  it("of nothing known, or of properties nobody told, queues nothing", async () => {
    expect(await repair(["plan"], "posthog", "nobody")).toEqual({ identifies: 0, removals: 0 });
    expect(await repair(["colour"], "posthog")).toEqual({ identifies: 0, removals: 0 });
    expect((await rig.ledger.status()).depth).toBe(0);
  });

  it("that dies is a dead letter, owed again, and counts as arrived once it was replayed", async () => {
    await repair(["plan"], "posthog");
    await rig.deliver(() => DEAD, "posthog");
    expect(await held("posthog")).toMatchObject({ plan: { arrival: "unsent" } });
    await rig.ledger.replayDeadLetters({});
    await rig.deliver(undefined, "posthog");
    expect(await held("posthog")).toMatchObject({ plan: { arrival: clock.now() } });
  });

  it("is on disk as a whole once it is queued, also where the tables lost it", async () => {
    await rig.forgetting(() => repair(["plan"], "posthog"));
    expect(await held("posthog")).toMatchObject({ plan: { arrival: "waiting" } });
    expect(whole(await rig.deliver(undefined, "posthog"))).toEqual([{ plan: "free" }]);
    expect(await rig.deliver()).toEqual([]);
  });

  it("says in several messages what is too large for one", async () => {
    const large = "x".repeat(500_000);
    await rig.commit(groupCall(5, "ann", "acme", { one: large }));
    await rig.commit(groupCall(6, "ann", "acme", { two: large }));
    await rig.deliver();
    await rig.deliver(undefined, "posthog");
    expect(await repair(["one", "plan", "two"], "posthog")).toEqual({ identifies: 2, removals: 0 });
    const sets = whole(await rig.deliver(undefined, "posthog"));
    expect(Object.assign({}, ...sets)).toEqual({ one: large, two: large, plan: "free" });
    expect(await held("posthog")).toMatchObject({ one: { arrival: clock.now() }, two: { arrival: clock.now() } });
  });

  it("gives each of many groups a time of its own", async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
    await rig.commit(...keys.map((key, index) => groupCall(index + 10, "ann", key)));
    await rig.deliver();
    await rig.deliver(undefined, "posthog");
    const groups = keys.map((groupKey): GroupRepair => ({ groupType: "company", groupKey, names: ["group_key"] }));
    expect(await rig.ledger.repairGroups({ destination: "posthog", groups })).toEqual({ identifies: 100, removals: 0 });
    const sent = await rig.deliver(undefined, "posthog");
    expect(new Set(sent.map((one) => (one as unknown as { timestamp: string }).timestamp)).size).toBe(100);
  });
});

it("a repair is refused while the outbox is full", async () => {
  await rig.remove();
  rig = await openAttributing({ segment: {} }, { clock, maxDepth: 1 });
  await rig.commit(groupCall(1, "ann", "acme", { plan: "free" }));
  await rig.deliver();
  await rig.commit(groupCall(2, "ann", "beta"));
  await expect(repair(["plan"])).rejects.toMatchObject({ code: "LEDGER_FULL" });
});
