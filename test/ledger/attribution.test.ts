import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SettleOutcome } from "../../src/core/ledger.ts";
import { type AttributingLedger, callAt, groupCall, openAttributing, trackCall } from "./attributing.ts";

let rig: AttributingLedger;
beforeEach(async () => {
  rig = await openAttributing();
});
afterEach(() => rig.remove());

const groupsOf = async () => (await rig.deliver()).map(({ properties }) => properties.$groups ?? null);
const setsOf = async () => (await rig.deliver()).map(({ properties }) => properties.$group_set);

describe("a commit of calls", () => {
  it("gives events the groups of their people, and sends of groups what is new", async () => {
    const { committed, attribution } = await rig.commit(
      trackCall(5, "ann"),
      groupCall(1, "ann", "acme", { plan: "free" }),
      groupCall(2, "ann", "acme", { plan: "free" }),
      groupCall(0, "ann", "acme", { plan: "old", seats: 2 }),
    );
    expect(committed).toBe(3);
    expect(attribution).toMatchObject({ messages: 3, attributed: 1, saved: 1, stale: 1, parked: 0, rejections: [] });
    await rig.deliver();
    expect([...rig.received.events.values()]).toEqual([{ company: "acme" }]);
    expect(rig.received.groups.get("company/acme")).toEqual(
      new Map(Object.entries({ group_key: "acme", plan: "free", seats: 2 })),
    );
    expect(await rig.ledger.status()).toMatchObject({ committed: 3, attributed: 1, saved: 1, stale: 1, depth: 0 });
  });

  it("knows what earlier commits said, those of the same moment too, and also after it was closed", async () => {
    const results = await Promise.all([
      rig.commit(groupCall(1, "ann", "acme")),
      rig.commit(trackCall(2, "ann")),
      rig.commit(groupCall(3, "bob", "acme")),
    ]);
    expect(results.map(({ attribution }) => [attribution.attributed, attribution.saved])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    await rig.deliver();
    await rig.reopen();
    await rig.commit(trackCall(4, "ann"), trackCall(5, "bob"), trackCall(0, "ann"), groupCall(6, "ann", "acme"));
    expect(await groupsOf()).toEqual(expect.arrayContaining([{ company: "acme" }, { company: "acme" }, null]));
    expect(rig.received.messages).toHaveLength(5);
  });

  it("leaves out what was seen before, what it says of groups too", async () => {
    const calls = [groupCall(1, "ann", "acme", { plan: "free" }), trackCall(2, "ann")];
    await rig.commit(...calls);
    const [, seen] = await Promise.all([rig.deliver(), rig.commit(...calls, ...calls)]);
    expect(seen).toMatchObject({ duplicates: [0, 1, 2, 3], committed: 0, attribution: { attributed: 0, saved: 0 } });
    const disguised = { ...calls[0], ...groupCall(1, "ann", "acme", { plan: "pro" }) };
    expect(await rig.commit(disguised, trackCall(3, "ann"))).toMatchObject({ duplicates: [0], committed: 1 });
    expect(await groupsOf()).toEqual([{ company: "acme" }]);
  });

  it("of one source does not speak with the word of another", async () => {
    await rig.remove();
    const precedence = (value: number) => ({ precedence: { default: value, byProperty: {} } });
    rig = await openAttributing({ segment: precedence(1), crm: precedence(2) });
    await rig.commit(callAt(1, { type: "group", userId: "ann", groupId: "acme", traits: { plan: "pro" } }, "crm"));
    await rig.commit(groupCall(2, "ann", "acme", { plan: "free", seats: 1 }));
    await rig.reopen();
    await rig.commit(groupCall(3, "ann", "acme", { plan: "old", seats: 2 }));
    expect(await setsOf()).toEqual([{ group_key: "acme", plan: "pro" }, { seats: 1 }, { seats: 2 }]);
    expect((await rig.ledger.group({ groupType: "company", groupKey: "acme", limit: 9 }))?.properties).toMatchObject([
      { name: "plan", value: "pro", source: "crm", others: [{ source: "segment", value: "old" }] },
      { name: "seats", value: 2, source: "segment", others: [] },
    ]);
  });
});

describe("tables that know less than the log", () => {
  const facts = [
    callAt(1, { type: "group", anonymousId: "device", groupId: "acme", traits: { plan: "free" } }),
    callAt(2, { type: "identify", userId: "ann", anonymousId: "device" }),
    groupCall(3, "bob", "beta", { plan: "pro", note: null }),
  ];
  const known = async () => [
    await rig.ledger.group({ groupType: "company", groupKey: "acme", limit: 9 }),
    await rig.ledger.group({ groupType: "company", groupKey: "beta", limit: 9 }),
    await rig.ledger.keys({ limit: 9 }),
  ];

  it("are told again what is known of people and groups", async () => {
    let before: unknown;
    await rig.commit(groupCall(0, "bob", "acme", { plan: "trial" }));
    await rig.forgetting(async () => {
      await rig.commit(...facts);
      before = await known();
    });
    expect(await known()).toEqual(before);
    await rig.deliver();
    const { attribution } = await rig.commit(trackCall(4, "ann"), trackCall(5, "bob"), groupCall(6, "cleo", "acme"));
    expect(attribution).toMatchObject({ attributed: 2, saved: 1 });
    expect(await groupsOf()).toEqual(expect.arrayContaining([{ company: "acme" }, { company: "beta" }]));
  });

  it("are told again also what was said without any message, and of several commits", async () => {
    await rig.commit(groupCall(1, "ann", "acme"), groupCall(2, "ann", "beta"));
    await rig.forgetting(async () => {
      await rig.commit(groupCall(9, "bob", "acme"));
      await rig.commit(groupCall(8, "cleo", "acme", { seats: 1 }));
      await rig.reopen();
      await rig.commit(groupCall(7, "ann", "acme", { seats: 2 }));
    });
    await rig.deliver();
    await rig.commit(trackCall(10, "ann"), trackCall(11, "bob"), trackCall(12, "cleo"));
    expect(await groupsOf()).toEqual(Array.from({ length: 3 }, () => ({ company: "acme" })));
    expect(rig.received.groups.get("company/acme")?.get("seats")).toBe(1);
  });
});

describe("what ended in the dead letters", () => {
  const dead: SettleOutcome = { kind: "dead", reason: "wrong" };

  it("of a group is said again with the next that is said of it, with its key, once", async () => {
    await rig.commit(groupCall(1, "ann", "acme", { plan: "free", seats: 1 }));
    await rig.deliver(() => dead);
    await rig.commit(groupCall(2, "ann", "acme", { plan: "free" }));
    expect(await setsOf()).toEqual([{ group_key: "acme", plan: "free", seats: 1 }]);
    await rig.commit(groupCall(3, "ann", "acme", { plan: "free" }));
    expect(await rig.deliver()).toEqual([]);
  });

  it("of a group is replayed as the group is now, not as it was", async () => {
    await rig.commit(groupCall(1, "ann", "acme", { plan: "free", seats: 1 }));
    await rig.deliver(() => dead);
    await rig.commit(groupCall(2, "ann", "acme", { plan: "pro" }));
    await rig.deliver();
    await rig.commit(groupCall(3, "ann", "acme", { plan: "enterprise" }));
    const [letter] = await rig.ledger.listDeadLetters({});
    expect(await rig.ledger.replayDeadLetters({})).toBe(1);
    const delivered = await rig.deliver();
    expect(delivered.map(({ properties }) => properties.$group_set)).toEqual([
      { plan: "enterprise" },
      { group_key: "acme", plan: "enterprise", seats: 1 },
    ]);
    expect(delivered[1]).toMatchObject({ uuid: letter?.uuid });
  });

  it("is still owed after the tables forgot both, the death and what came before it", async () => {
    await rig.forgetting(async () => {
      await rig.commit(groupCall(1, "ann", "acme", { plan: "free" }));
      await rig.deliver(() => dead);
    });
    await rig.deliver(() => dead);
    await rig.reopen();
    await rig.commit(groupCall(2, "ann", "acme"));
    expect(await setsOf()).toEqual([{ group_key: "acme", plan: "free" }]);
  });
});
