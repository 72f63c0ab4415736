import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Change, MOST_IDS } from "../../../src/core/attribution/knowledge.ts";
import { idsOfPerson } from "../../../src/core/attribution/membership.ts";
import { companyOf, joins, knowing, leaves, owns } from "./people.ts";

describe("the group of a person at a time", () => {
  const history = knowing(joins(10, "ann", "acme"), joins(20, "ann", "beta"), joins(15, "ann", "rocket", "project"));

  it("is the one joined last before, or at that very time", () => {
    expect([10, 19, 20, 99].map((at) => companyOf(history, "ann", at))).toEqual(["acme", "acme", "beta", "beta"]);
  });

  it("is none before the first, or the first that is known where the mapping says so", () => {
    expect(companyOf(history, "ann", 9)).toBeNull();
    expect(companyOf(history, "ann", 9, { beforeFirst: "first" })).toBe("acme");
    expect(companyOf(history, "bob", 9, { beforeFirst: "first" })).toBeNull();
    expect(companyOf(history, [], 99)).toBeNull();
  });

  it("is the earlier one for a call that comes late, whatever is known by then", () => {
    const knowledge = knowing(joins(20, "ann", "beta"), joins(10, "ann", "acme"), joins(5, "ann", "old"));
    expect(companyOf(knowledge, "ann", 12)).toBe("acme");
  });

  it("is none after leaving it, and another's leaving changes nothing", () => {
    const left = knowing(joins(10, "ann", "acme"), leaves(20, "ann", "beta"), leaves(30, "ann", "acme"));
    expect([15, 25, 30].map((at) => companyOf(left, "ann", at))).toEqual(["acme", "acme", null]);
    const leftAll = knowing(joins(10, "ann", "acme"), leaves(20, "ann"), joins(30, "ann", "acme"));
    expect([15, 25, 35].map((at) => companyOf(leftAll, "ann", at))).toEqual(["acme", null, "acme"]);
  });

  it("is not brought back by leaving the one that replaced it", () => {
    const knowledge = knowing(joins(10, "ann", "acme"), joins(20, "ann", "beta"), leaves(30, "ann", "beta"));
    expect(companyOf(knowledge, "ann", 40)).toBeNull();
  });

  it("before the first is not the first known, when the person has left by then", () => {
    const knowledge = knowing(leaves(5, "ann"), joins(10, "ann", "acme"));
    expect(companyOf(knowledge, "ann", 7, { beforeFirst: "first" })).toBeNull();
    expect(companyOf(knowledge, "ann", 4, { beforeFirst: "first" })).toBe("acme");
  });

  it("is the same in whatever order things said of one time came", () => {
    const changes = [joins(10, "ann", "acme"), joins(10, "ann", "beta"), leaves(10, "ann"), leaves(10, "ann", "beta")];
    expect(companyOf(knowing(...changes), "ann", 10)).toBe("beta");
    expect(companyOf(knowing(...changes.toReversed()), "ann", 10)).toBe("beta");
  });

  it("goes by code points where keys of one time have to be put in order, as databases do", () => {
    expect(companyOf(knowing(joins(10, "ann", "\u{1f600}"), joins(10, "ann", "\ufb01")), "ann", 10)).toBe("\u{1f600}");
  });
});

describe("a person in several groups of a type, where the mapping wants none then,", () => {
  const none = { several: "none" } as const;

  it("has none while in two, and again one after leaving the other", () => {
    const knowledge = knowing(joins(10, "ann", "acme"), joins(20, "ann", "beta"), leaves(30, "ann", "acme"));
    expect([10, 20, 30].map((at) => companyOf(knowledge, "ann", at, none))).toEqual(["acme", null, "beta"]);
  });

  it("has the group joined twice, and the one joined after leaving all", () => {
    const twice = knowing(joins(10, "ann", "acme"), joins(20, "ann", "acme"));
    expect(companyOf(twice, "ann", 30, none)).toBe("acme");
    const fresh = knowing(joins(10, "ann", "acme"), joins(11, "ann", "beta"), leaves(20, "ann"), joins(30, "ann", "x"));
    expect(companyOf(fresh, "ann", 40, none)).toBe("x");
  });

  it("counts what its other ids joined", () => {
    const knowledge = knowing(joins(10, "ann", "acme"), joins(11, "device", "beta"), owns(12, "ann", "device"));
    expect(companyOf(knowledge, "ann", 11, none)).toBe("acme");
    expect(companyOf(knowledge, "ann", 12, none)).toBeNull();
  });
});

describe("the ids of a person", () => {
  it("carry over what an anonymous id joined, from when on the two are known to be one", () => {
    const knowledge = knowing(joins(10, "device", "acme"), owns(20, "ann", "device"));
    expect(companyOf(knowledge, "ann", 15)).toBeNull();
    expect(companyOf(knowledge, "ann", 20)).toBe("acme");
    expect(companyOf(knowledge, "device", 15)).toBe("acme");
  });

  it("give an anonymous id what its owner joined", () => {
    const knowledge = knowing(owns(10, "ann", "device"), joins(20, "ann", "acme"));
    expect(companyOf(knowledge, "device", 25)).toBe("acme");
  });

  it("are looked ahead for where the first group known is", () => {
    const knowledge = knowing(owns(20, "ann", "device"), joins(30, "ann", "acme"));
    expect(companyOf(knowledge, "device", 10, { beforeFirst: "first" })).toBe("acme");
  });

  it("are found through others that joined nothing themselves", () => {
    const facts = [joins(1, "device", "acme"), owns(2, "old-ann", "device"), owns(3, "ann", "old-ann")];
    for (const changes of [facts, facts.toReversed()]) {
      expect(companyOf(knowing(...changes), "ann", 4)).toBe("acme");
      expect(companyOf(knowing(...changes), "old-ann", 4)).toBe("acme");
    }
  });

  it("of a device that two people use stay with the first to claim it", () => {
    const knowledge = knowing(
      owns(10, "ann", "device"),
      joins(11, "ann", "acme"),
      owns(20, "bob", "device"),
      joins(21, "bob", "beta"),
    );
    expect(companyOf(knowledge, ["ann", "device"], 30)).toBe("acme");
    expect(companyOf(knowledge, ["bob", "device"], 30)).toBe("beta");
    expect(companyOf(knowledge, "device", 30)).toBe("acme");
  });

  it("that nobody claims belong to whoever a record names with them", () => {
    expect(companyOf(knowing(joins(10, "device", "acme")), ["ann", "device"], 30)).toBe("acme");
  });

  it("that claim each other end somewhere, the same from each of them", () => {
    const knowledge = knowing(owns(1, "a", "b"), owns(2, "b", "c"), owns(3, "c", "a"), joins(4, "b", "acme"));
    for (const id of ["a", "b", "c"]) expect(companyOf(knowledge, id, 9)).toBe("acme");
    expect(idsOfPerson(knowing(owns(1, "a", "a")), ["a"], 9)).toEqual(["a"]);
  });

  it("are bounded, however many there are and however long their chain is", () => {
    const changes: Change[] = [];
    for (let index = 0; index < 500; index++) {
      const id = `device-${String(index).padStart(3, "0")}`;
      changes.push(owns(1, "ann", id), joins(2, id, `c${index}`), owns(1, `link-${index + 1}`, `link-${index}`));
    }
    const knowledge = knowing(...changes);
    expect(idsOfPerson(knowledge, ["ann"], 9)).toHaveLength(MOST_IDS);
    expect(idsOfPerson(knowledge, ["link-0"], 9).length).toBeLessThanOrEqual(MOST_IDS);
  });
});

const id = fc.constantFrom("a", "b", "c", "d");
const key = fc.constantFrom("acme", "beta");
const change = fc.oneof(
  fc.tuple(fc.nat(9), id, key).map((one) => joins(...one)),
  fc.tuple(fc.nat(9), id, fc.oneof(key, fc.constant(""))).map((one) => leaves(...one)),
  fc.tuple(fc.nat(9), id, id).map((one) => owns(...one)),
);
const shuffled = fc
  .array(change, { maxLength: 12 })
  .chain((changes) =>
    fc.tuple(
      fc.constant(changes),
      fc.shuffledSubarray(changes, { minLength: changes.length, maxLength: changes.length }),
    ),
  );

it("makes the same of what is said in any order, once or twice, and of what comes later nothing", () => {
  const answers = (changes: readonly Change[], at: number) => {
    const knowledge = knowing(...changes);
    return ["a", "b", "c", "d"].flatMap((one) =>
      (["latest", "none"] as const).map((several) => companyOf(knowledge, [one, "a"], at, { several })),
    );
  };
  fc.assert(
    fc.property(shuffled, fc.nat(9), ([changes, others], at) => {
      const expected = answers(changes, at);
      expect(answers([...others, ...others.toReversed()], at)).toEqual(expected);
      expect(
        answers(
          changes.filter((one) => timeOf(one) <= at),
          at,
        ),
      ).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

function timeOf(one: Change): number {
  if (one.kind === "membership") return one.membership.at;
  return one.kind === "owner" ? one.owner.at : 0;
}
