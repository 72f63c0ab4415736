import { expect, it } from "vitest";
import { createMemoryKnowledge } from "../../../src/core/attribution/memory-knowledge.ts";
import { refreshed } from "../../../src/core/attribution/refreshed.ts";
import { DEFAULT_GROUP_RULES } from "../../../src/core/attribution/rules.ts";

const RULES = { web: DEFAULT_GROUP_RULES };
const knowledge = createMemoryKnowledge();
knowledge.apply({
  kind: "group",
  groupType: "company",
  groupKey: "acme",
  source: "web",
  told: { plan: { value: "enterprise", at: 9 }, gone: { at: 9 } },
  restated: [],
  restatedAt: 9,
  unsent: [],
  sent: ["plan", "gone"],
  seq: 4,
});

function message(event: string, properties: object): string {
  return JSON.stringify({ event, distinct_id: "d", uuid: "u", timestamp: "t", properties });
}

const of = (groupKey: string) => ({ $group_type: "company", $group_key: groupKey });
const set = (groupKey: string, properties: object) =>
  message("$groupidentify", { ...of(groupKey), $group_set: properties });

it("says each property as it is now, and keeps those nobody knows", () => {
  const old = set("acme", { plan: "free", group_key: "acme" });
  expect(refreshed(old, knowledge, RULES)).toBe(set("acme", { plan: "enterprise", group_key: "acme" }));
});

it("removes what is still gone, and nothing that came back", () => {
  const old = message("$group_unset", { ...of("acme"), $group_unset: ["gone", "plan"] });
  expect(refreshed(old, knowledge, RULES)).toBe(message("$group_unset", { ...of("acme"), $group_unset: ["gone"] }));
});

it("leaves everything else as it is", () => {
  const others = [set("nobody", { plan: "free" }), message("Seen", of("acme")), '{"event":"$groupidentify"', "{}"];
  expect(others.map((one) => refreshed(one, knowledge, RULES))).toEqual(others);
});
