import { describe, expect, it } from "vitest";
import { type ProjectGroupType, planGroupSlots } from "../../src/core/group-slots.ts";

function declare(types: Readonly<Record<string, readonly string[]>>) {
  return Object.entries(types).map(([source, groupTypes]) => ({ source, file: `${source}.yaml`, groupTypes }));
}

function slotsOf(types: Readonly<Record<string, readonly string[]>>, project: readonly ProjectGroupType[] = []) {
  return planGroupSlots(declare(types), project).slots.map(({ index, groupType, usedBy }) => [
    index,
    groupType,
    usedBy,
  ]);
}

function refusedOf(types: Readonly<Record<string, readonly string[]>>, project: readonly ProjectGroupType[] = []) {
  return planGroupSlots(declare(types), project).problems.map(({ source, groupType }) => `${source}: ${groupType}`);
}

describe("slots", () => {
  it("are given out in the order declared, over all mappings, each type once with everybody who uses it", () => {
    expect(slotsOf({ app: ["workspace", "company"], crm: ["company", "deal"] })).toEqual([
      [0, "workspace", ["app"]],
      [1, "company", ["app", "crm"]],
      [2, "deal", ["crm"]],
    ]);
  });

  it("of the project stay where they are, and what is new takes the lowest that are free", () => {
    const project = [
      { groupType: "company", index: 2 },
      { groupType: "legacy", index: 0 },
    ];
    expect(slotsOf({ app: ["workspace", "company", "deal"] }, project)).toEqual([
      [0, "legacy", ["project"]],
      [1, "workspace", ["app"]],
      [2, "company", ["project", "app"]],
      [3, "deal", ["app"]],
    ]);
  });
});

describe("a sixth type", () => {
  it("is refused with its mapping file, the slots and who uses them", () => {
    const { problems, slots } = planGroupSlots(
      declare({ app: ["one", "two", "three"], crm: ["two", "four", "five", "six"] }),
    );
    expect(problems).toEqual([
      {
        source: "crm",
        file: "crm.yaml",
        groupType: "six",
        found: 'group type "six" of source crm: one too many, PostHog takes 5',
        allowed:
          '5 group types, each under one name; they are 0 "one" (app), 1 "two" (app, crm), 2 "three" (app), 3 "four" (crm), 4 "five" (crm)',
      },
    ]);
    expect(slots).toHaveLength(5);
  });

  it("is one that the project leaves no room for", () => {
    const project = ["one", "two", "three", "four"].map((groupType, index) => ({ groupType, index }));
    expect(refusedOf({ app: ["five"] }, project)).toEqual([]);
    expect(refusedOf({ app: ["five", "six"] }, project)).toEqual(["app: six"]);
    expect(planGroupSlots(declare({ app: ["five", "six"] }), project).problems[0]?.allowed).toContain(
      '3 "four" (project), 4 "five" (app)',
    );
  });
});

describe("a name that is almost another's", () => {
  const alike: readonly (readonly [string, string, string])[] = [
    ["company", "Company", "case"],
    ["org", "ORG", "case"],
    ["company", "companies", "plural and singular"],
    ["projects", "project", "plural and singular"],
    ["box", "boxes", "plural and singular"],
    ["org", "Orgs", "plural and singular"],
    ["workspace", "workspce", "one letter"],
    ["workspace", "worksbace", "one letter"],
    ["work_space", "workspace", "one letter"],
    ["team", "term", "one letter"],
  ];
  it.each(alike)("%s and %s: only by %s", (one, other, difference) => {
    const [problem] = planGroupSlots(declare({ app: [one], crm: [other] })).problems;
    expect(problem?.found).toBe(
      `group type "${other}" of source crm: differs only by ${difference} from "${one}" (app)`,
    );
    expect(refusedOf({ crm: [other], app: [one] })).toEqual([`app: ${one}`]);
  });

  it.each([
    ["org", "orb"],
    ["tier1", "tier2"],
    ["company", "campaign"],
    ["user", "customer"],
    ["glass", "gas"],
  ])("is not %s beside %s", (one, other) => {
    expect(refusedOf({ app: [one, other] })).toEqual([]);
  });

  it("is refused within one mapping too, takes no slot, and does not keep the rest from theirs", () => {
    const { slots, problems } = planGroupSlots(declare({ app: ["company", "companies", "a", "b", "c", "d"] }));
    expect(problems.map(({ groupType }) => groupType)).toEqual(["companies"]);
    expect(slots.map(({ groupType }) => groupType)).toEqual(["company", "a", "b", "c", "d"]);
  });

  it("is refused beside a type of the project, unless the project has that name already", () => {
    const company = { groupType: "company", index: 0 };
    const typo = { groupType: "compny", index: 1 };
    expect(refusedOf({ app: ["compny"] }, [company])).toEqual(["app: compny"]);
    expect(refusedOf({ app: ["company"] }, [company, typo])).toEqual([]);
    expect(refusedOf({ app: ["company"], crm: ["compny"] }, [company, typo])).toEqual(["crm: compny"]);
  });
});
