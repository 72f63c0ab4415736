import { describe, expect, it } from "vitest";
import { rulesFor } from "./group-store.ts";
import { createIdentifies } from "./identifies.ts";

const keysOf = (sent: readonly { readonly groupKey: string }[]) => sent.map(({ groupKey }) => groupKey);

describe("the group of a record", () => {
  it("is its own key, else what is known of its aliases, else its fallback", () => {
    const { take } = createIdentifies();
    const aliases = ["crm:1", "domain:acme.com"];
    expect(keysOf(take({ aliases, fallbackKey: "acme.com" }))).toEqual(["acme.com"]);
    expect(keysOf(take({ groupKey: "acme", aliases }))).toEqual(["acme"]);
    expect(keysOf(take({ aliases, fallbackKey: "acme.com", properties: { a: 1 } }))).toEqual(["acme"]);
    expect(keysOf(take({ aliases: ["domain:acme.com"], properties: { a: 2 } }))).toEqual(["acme"]);
  });

  it("is that of the first alias known, which teaches the others; a fallback teaches nothing", () => {
    const { take, knowledge } = createIdentifies();
    take({ aliases: ["b"], fallbackKey: "f" });
    expect(knowledge.alias("company", "b")).toBeNull();
    take({ groupKey: "acme", aliases: ["a"] });
    take({ aliases: ["b", "a"], properties: { x: 1 } });
    expect(knowledge.alias("company", "b")).toEqual({ groupKey: "acme", source: "crm", at: 3 });
    expect(knowledge.alias("project", "b")).toBeNull();
  });

  it("is refused with what was found when nobody knows it, and not forgotten how", () => {
    const { take, tally } = createIdentifies();
    expect(take({ aliases: ["a", "b"], properties: { x: 1 } })).toEqual([]);
    expect(take({})).toEqual([]);
    expect(tally.rejections).toMatchObject([
      {
        source: "crm",
        recordId: "r1",
        reason: "unresolved_group_key",
        detail: expect.stringContaining("(a, b)"),
        payload: { groupKey: null, aliases: ["a", "b"], properties: { x: 1 } },
      },
      { recordId: "r2", detail: expect.stringContaining("gives no alias") },
    ]);
  });
});

describe("a record that waits for its alias", () => {
  const park = rulesFor({ crm: { unresolved: "park" } });

  it("is released by whoever teaches it, in the order they came, by whichever alias", () => {
    const { take, tally, knowledge } = createIdentifies(park);
    take({ aliases: ["b"], properties: { n: 1 } });
    take({ aliases: ["a"], properties: { n: 2 } });
    take({ aliases: ["c", "a"], properties: { n: 3 } });
    expect(tally).toMatchObject({ parked: 3, rejections: [] });
    const sent = take({ source: "segment", groupKey: "acme", aliases: ["a", "b"], at: 0, properties: { n: 0 } });
    expect(sent.map(({ uuid, set }) => [Number(uuid.slice(-2)), set.n])).toEqual([
      [4, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(new Set(keysOf(sent))).toEqual(new Set(["acme"]));
    expect(knowledge.parked("company", ["a", "b", "c"])).toEqual([]);
  });

  it("may teach what another waits for", () => {
    const { take } = createIdentifies(park);
    take({ aliases: ["c"], properties: { z: 1 } });
    take({ aliases: ["b", "c"], properties: { y: 1 } });
    take({ aliases: ["a", "b"], properties: { x: 1 } });
    const sent = take({ groupKey: "acme", aliases: ["a"] });
    expect(sent.map(({ set }) => Object.keys(set))).toEqual([["group_key"], ["x"], ["y"], ["z"]]);
  });

  it("is released by the alias of a group that was merged into its", () => {
    const { take } = createIdentifies(park);
    expect(take({ mergedAliases: ["old"], properties: { x: 1 } })).toEqual([]);
    const sent = take({ groupKey: "acme", aliases: ["old"] });
    expect(sent.map(({ set }) => set)).toEqual([{ group_key: "acme" }, { x: 1 }]);
  });

  it("waits for its own group type only, and without any alias is refused", () => {
    const { take, tally } = createIdentifies(park);
    take({ aliases: ["a"] });
    expect(take({ groupType: "project", groupKey: "rocket", aliases: ["a"] })).toHaveLength(1);
    take({});
    expect(tally).toMatchObject({ parked: 1, rejections: [{ reason: "unresolved_group_key" }] });
  });
});

describe("a record that was merged into another", () => {
  it("leaves a group that says where it went, once, by whatever name it was known", () => {
    const { take } = createIdentifies();
    take({ groupKey: "one", aliases: ["crm:1"] });
    take({ aliases: ["crm:2"], fallbackKey: "crm:2" });
    const survivor = { groupKey: "three", aliases: ["crm:3"], mergedAliases: ["crm:1", "crm:2", "crm:9"] };
    expect(take(survivor).map(({ groupKey, set }) => [groupKey, set])).toEqual([
      ["three", { group_key: "three" }],
      ["one", { merged_into: "three" }],
      ["crm:2", { merged_into: "three" }],
    ]);
    expect(take(survivor)).toEqual([]);
    expect(keysOf(take({ aliases: ["crm:1"], properties: { late: 1 } }))).toEqual(["three"]);
  });

  it("takes its group along where the survivor has none, which then went nowhere", () => {
    const { take } = createIdentifies();
    take({ groupKey: "one", aliases: ["crm:1"] });
    take({ groupKey: "two", aliases: ["crm:2"] });
    const sent = take({ aliases: ["crm:777"], mergedAliases: ["crm:1", "crm:2"], properties: { n: 1 } });
    expect(sent.map(({ groupKey, set }) => [groupKey, set])).toEqual([
      ["one", { n: 1 }],
      ["two", { merged_into: "one" }],
    ]);
    expect(new Set(sent.map(({ uuid }) => uuid)).size).toBe(2);
  });

  it("changes nothing when it was overtaken", () => {
    const { take } = createIdentifies();
    take({ groupKey: "one", aliases: ["crm:1"], at: 100 });
    const sent = take({ groupKey: "two", mergedAliases: ["crm:1"], at: 50 });
    expect(keysOf(sent)).toEqual(["two"]);
    expect(keysOf(take({ aliases: ["crm:1"], at: 101, properties: { n: 1 } }))).toEqual(["one"]);
  });
});

describe("an alias that two groups claim", () => {
  const claimTwice = (collision: "first" | "most_recent" | "reject", times: readonly number[]) => {
    const rig = createIdentifies(rulesFor({ crm: { collision } }));
    const sent = ["one", "two", "one"].flatMap((groupKey, index) =>
      rig.take({ groupKey, aliases: ["a"], at: times[index] ?? 0, properties: { n: index } }),
    );
    return { ...rig, sent, owner: rig.knowledge.alias("company", "a")?.groupKey };
  };

  it("stays with the first, and is noted, once", () => {
    const { owner, sent, knowledge } = claimTwice("first", [1, 2, 3]);
    expect([owner, keysOf(sent)]).toEqual(["one", ["one", "two", "one"]]);
    expect(knowledge.collisions()).toEqual([
      { groupType: "company", alias: "a", groupKey: "one", otherKey: "two", source: "crm", at: 2 },
    ]);
  });

  it("moves to the group that claimed it most recently, by the records' own time", () => {
    expect(claimTwice("most_recent", [1, 2, 3]).owner).toBe("one");
    expect(claimTwice("most_recent", [1, 3, 2]).owner).toBe("two");
    expect(claimTwice("most_recent", [3, 2, 1]).owner).toBe("one");
  });

  it("does not move to a group whose claim is older than the last one of its group", () => {
    const { take, knowledge } = createIdentifies(rulesFor({ crm: { collision: "most_recent" } }));
    take({ groupKey: "one", aliases: ["a"], at: 1 });
    take({ groupKey: "one", aliases: ["a"], at: 9 });
    take({ groupKey: "two", aliases: ["a"], at: 5 });
    expect(knowledge.alias("company", "a")?.groupKey).toBe("one");
  });

  it("is rejected where the mapping says so: nothing is sent, nothing learned", () => {
    const { owner, sent, tally, knowledge } = claimTwice("reject", [1, 2, 3]);
    expect([owner, keysOf(sent)]).toEqual(["one", ["one", "one"]]);
    expect(tally.rejections).toMatchObject([{ recordId: "r2", reason: "alias_collision" }]);
    expect(knowledge.collisions()).toHaveLength(1);
    expect(knowledge.group("company", "two")).toBeNull();
  });

  it("is noted also when one record gives aliases of two groups", () => {
    const { take, knowledge } = createIdentifies();
    take({ groupKey: "one", aliases: ["a"] });
    take({ groupKey: "two", aliases: ["b"] });
    expect(keysOf(take({ aliases: ["a", "b"], properties: { x: 1 } }))).toEqual(["one"]);
    expect(knowledge.collisions()).toMatchObject([{ alias: "b", groupKey: "two", otherKey: "one" }]);
  });
});

describe("a merge at the source", () => {
  it("points the aliases of the merged groups to the one they became, without a word", () => {
    const { take, knowledge, tally } = createIdentifies(rulesFor({ crm: { collision: "reject" } }));
    take({ groupKey: "one", aliases: ["crm:1"] });
    take({ groupKey: "two", aliases: ["crm:2"] });
    take({ groupKey: "two", aliases: ["crm:2"], mergedAliases: ["crm:1", "crm:0"] });
    for (const alias of ["crm:0", "crm:1", "crm:2"]) expect(knowledge.alias("company", alias)?.groupKey).toBe("two");
    expect(keysOf(take({ aliases: ["crm:1"], properties: { x: 1 } }))).toEqual(["two"]);
    expect([tally.rejections, knowledge.collisions()]).toEqual([[], []]);
  });

  it("that comes late does not undo what was said after it", () => {
    const { take, knowledge } = createIdentifies(rulesFor({ crm: { collision: "most_recent" } }));
    take({ groupKey: "three", aliases: ["crm:1"], at: 30 });
    take({ groupKey: "two", mergedAliases: ["crm:1"], at: 20 });
    expect(knowledge.alias("company", "crm:1")?.groupKey).toBe("three");
    take({ groupKey: "two", mergedAliases: ["crm:1"], at: 40 });
    expect(knowledge.alias("company", "crm:1")?.groupKey).toBe("two");
  });
});
