/** What the commands say of groups, keys and money, and that a run stops before it costs more than it may. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GroupKnowledge, KeysReport } from "../../src/core/group-knowledge.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";

/** Companies of a CRM: by their account id, else by an alias somebody else told, else they wait. */
const CRM = `
groupTypes: [company]
groups: { precedence: { default: -1, plan: 1 }, unresolved: park, nulls: unset, volatile: [visits] }
rules:
  - name: company
    when: type = "group"
    groupIdentify:
      groupType: company
      groupKey: { "@path": $.traits.account }
      aliases:
        - { "@template": "crm:{{groupId}}" }
        - "@if": { exists: { "@path": $.traits.domain }, then: { "@template": "domain:{{traits.domain}}" } }
      properties: { "@omit": { value: { "@path": $.traits }, keys: [account] } }
`;

let workplace: Workplace;

beforeEach(async () => {
  workplace = await createWorkplace({
    sources: {
      web: { type: "segment" },
      crm: { type: "segment", mapping: "crm.yaml", writeKeys: ["k"] },
      bounded: { type: "segment", writeKeys: ["b"], maxEventsPerRun: 10 },
    },
  });
  await writeFile(join(workplace.directory, "crm.yaml"), CRM);
});
afterEach(() => workplace.remove());

type Call = readonly [id: string, hour: number, call: object];

async function backfill(source: string, calls: readonly Call[], ...words: readonly string[]): Promise<BackfillSummary> {
  const name = `${source}-${calls.map(([id]) => id).join("-")}.jsonl`;
  const lines = calls.map(([messageId, hour, call]) => {
    const timestamp = new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
    return `${JSON.stringify({ userId: "ada", messageId, timestamp, ...call })}\n`;
  });
  await writeFile(join(workplace.directory, name), lines.join(""));
  return await workplace.ask<BackfillSummary>("backfill", name, "--source", source, ...words);
}

const group = (groupId: string, traits: object = {}) => ({ type: "group", groupId, traits });
const told = (groupKey: string) => workplace.ask<GroupKnowledge>("groups", "show", "company", groupKey);

it("shows of a group every property with its source and its delivery, and its members", MANY_PROCESSES, async () => {
  await backfill("web", [
    ["1", 1, group("acme", { name: "Acme", plan: "free", seats: 3 })],
    ["2", 2, { ...group("acme"), userId: "bob" }],
    ["3", 3, { ...group("beta"), userId: "bob" }],
  ]);
  await backfill("crm", [["4", 1, group("77", { account: "acme", name: "ACME Inc.", plan: "team", seats: null })]]);
  const { properties, aliases, members } = await told("acme");
  const byName = new Map(properties.map(({ delivered, at: _, ...rest }) => [rest.name, { ...rest, delivered }]));
  const delivered = { engine: expect.any(Number) };
  const others = (value: unknown, source = "crm") => [{ source, value, at: expect.any(Number) }];
  expect(byName.get("name")).toMatchObject({ value: "Acme", source: "web", others: others("ACME Inc."), delivered });
  expect(byName.get("plan")).toMatchObject({ value: "team", source: "crm", others: others("free", "web"), delivered });
  // A source removes only what it owns.
  expect(byName.get("seats")).toMatchObject({ value: 3, source: "web" });
  expect(aliases).toEqual(["crm:77"]);
  expect(members).toMatchObject([
    { id: "ada", isMember: true },
    { id: "bob", isMember: false },
  ]);
  const { stdout } = await workplace.run("groups", "show", "company", "acme").ended;
  expect(stdout).toMatch(/plan +team +crm +2026-01-01T01:00:00Z +\d{4}-\d\d-\d\dT\S+ +web: free/);
  expect(stdout).toMatch(/bob +2026-01-01T02:00:00Z +no more/);
  const unknown = await workplace.run("groups", "show", "company", "nobody").ended;
  expect(unknown.code).toBe(66);
  expect(unknown.stderr).toContain('Nothing is known of a company "nobody"');
});

it("lets records wait for their alias, and reports aliases that two groups claim", MANY_PROCESSES, async () => {
  const first = await backfill("crm", [
    ["1", 1, group("77", { domain: "acme.com", name: "Acme" })],
    ["2", 2, group("77", { domain: "acme.com", plan: "team" })],
  ]);
  expect(first).toMatchObject({ messages: 0, rejected: 0 });
  expect(await workplace.ask<KeysReport>("keys")).toMatchObject({
    parkedCount: 2,
    parked: [{ recordId: "1", source: "crm", aliases: ["crm:77", "domain:acme.com"] }, { recordId: "2" }],
  });
  const second = await backfill("crm", [["3", 3, group("78", { account: "acct_42", domain: "acme.com" })]]);
  expect(second.messages).toBe(3);
  await backfill("crm", [["4", 4, group("79", { account: "acct_43", domain: "acme.com" })]]);
  const keys = await workplace.ask<KeysReport>("keys");
  expect(keys).toMatchObject({
    parkedCount: 0,
    collisionCount: 1,
    collisions: [{ groupType: "company", alias: "domain:acme.com", groupKey: "acct_42", otherKey: "acct_43" }],
  });
  const { aliases, properties } = await told("acct_42");
  expect(aliases).toEqual(["crm:77", "crm:78", "domain:acme.com"]);
  expect(Object.fromEntries(properties.map(({ name, value }) => [name, value]))).toEqual({
    domain: "acme.com",
    name: "Acme",
    plan: "team",
  });
  const { stdout } = await workplace.run("keys").ended;
  expect(stdout).toMatch(/company +domain:acme\.com +acct_42 +acct_43 +crm/);
});

it("says in a dry run what a file would come to, and keeps nothing", MANY_PROCESSES, async () => {
  await backfill("web", [["1", 1, group("acme", { name: "Acme" })]]);
  const calls: readonly Call[] = [
    ["2", 2, group("acme", { name: "Acme" })],
    ["3", 3, group("beta", { name: "Beta" })],
    ["4", 4, { type: "track", event: "Seen" }],
    ["5", 1, { type: "track", event: "Seen" }],
    ["1", 1, group("acme", { name: "Acme" })],
  ];
  const before = await workplace.ask<LedgerStatus>("status");
  const rehearsed = await backfill("web", calls, "--dry-run", "--price", "0.01");
  expect(rehearsed).toMatchObject({
    dryRun: {
      duplicates: 1,
      identifies: { mapped: 2, sent: 1 },
      attributed: 2,
      billedEvents: 3,
      historicalEvents: 2,
      groupTypes: [{ groupType: "company", created: 1, onlyNamed: 0 }],
    },
    cost: { all: 0.03, withHistoryFree: 0.01 },
  });
  const { sizeBytes: _, ...after } = await workplace.ask<LedgerStatus>("status");
  expect(before).toMatchObject(after);
  expect(await backfill("web", calls)).toMatchObject({
    messages: 3,
    saved: 1,
    attributed: 2,
    duplicates: 1,
    dryRun: null,
  });
  expect(await workplace.ask<LedgerStatus>("status")).toMatchObject({ saved: 1, attributed: 2 });
  const text = await workplace.run("status").ended;
  expect(text.stdout).toContain("1 group identifies saved");
});

it("stops a run before it makes more events than it may, and goes on the next time", MANY_PROCESSES, async () => {
  const calls = Array.from({ length: 50 }, (_, n): Call => [`${n}`, n, { type: "track", event: "Seen" }]);
  const words = ["--max-events", "20"];
  const command = workplace.run("backfill", "--source", "web", "missing.jsonl", ...words);
  expect((await command.ended).code).toBe(66);
  await expect(backfill("web", calls, ...words)).rejects.toThrow(/exited with 75/);
  expect(await workplace.ask<LedgerStatus>("status")).toMatchObject({ committed: 20 });
  await expect(backfill("web", calls, ...words)).rejects.toThrow(/exited with 75/);
  expect(await backfill("web", calls, ...words)).toMatchObject({ resumedAt: 40, messages: 10, complete: true });
  // The source has a limit of its own, unless the run says another.
  await expect(backfill("bounded", calls)).rejects.toThrow(/exited with 75/);
  expect(await workplace.ask<LedgerStatus>("status")).toMatchObject({ committed: 60 });
  expect(await backfill("bounded", calls, "--max-events", "40")).toMatchObject({ messages: 40, complete: true });
});
