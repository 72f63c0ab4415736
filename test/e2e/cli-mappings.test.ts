/** The commands for those who write mappings: test, preview, mapping show and import. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import type { PreviewSummary } from "../../src/connector/preview-summary.ts";
import { ERRORS } from "../../src/core/errors.ts";
import type { EffectiveMapping } from "../../src/core/mapping/effective-mapping.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";
import { inventSegmentLog } from "./segment-log.ts";

const MAPPING = `# Our own rule before the rest of Segment's.
extends: segment
rules:
  - name: orders
    when: type = "track" and event = "Order Placed"
    event:
      name: { "@template": "Shop: {{event}}" }
      distinctId: { "@path": $.userId }
      properties: { total: { "@cast": { value: { "@path": $.properties.total }, to: number, otherwise: refuse } } }
`;
const EXAMPLES = `examples:
  # A comment that stays.
  - name: an order
    input: { type: track, event: Order Placed, userId: u1, properties: { total: "12.50" } }
    messages:
      - { event: "Shop: Order Placed", distinctId: u1, properties: { total: 12.5 } }
  - name: another event
    input: { type: track, event: Seen, userId: u1 }
    messages:
      - { event: Unseen, distinctId: u1 }
`;
const CALLS = [
  { type: "track", event: "Order Placed", userId: "u1", messageId: "1", properties: { total: "7" } },
  { type: "track", event: "Order Placed", userId: "u1", messageId: "2", properties: { total: "many" } },
  { type: "group", groupId: "acme", userId: "u1", messageId: "3", traits: { name: "Acme" } },
  { type: "track", event: "Seen", userId: "null", messageId: "4" },
  { type: "shout" },
];

async function open(): Promise<Workplace> {
  const workplace = await createWorkplace({ sources: { web: { type: "segment", mapping: "./own.yaml" } } });
  onTestFinished(() => workplace.remove());
  const put = (name: string, content: string | Uint8Array) => writeFile(join(workplace.directory, name), content);
  await put("own.yaml", MAPPING);
  await put("own.examples.yaml", EXAMPLES);
  await put("calls.json", JSON.stringify(CALLS, null, 2));
  await put("calls.jsonl.gz", gzipSync(CALLS.map((call) => `${JSON.stringify(call)}\n`).join("")));
  return workplace;
}

it(
  "runs the examples of all sources, shows what came otherwise, and writes that when told",
  MANY_PROCESSES,
  async () => {
    const workplace = await open();
    const failed = await workplace.run("test").ended;
    expect(failed).toMatchObject({ code: ERRORS.MAPPING_INVALID.exitCode, stderr: "" });
    expect(failed.stdout).toContain("own.yaml  1 of 2 examples pass");
    expect(failed.stdout).toContain('own.examples.yaml:7  another event  (rule "track"; - expected, + came)');
    expect(failed.stdout).toMatch(/^ {4}- .*event: Unseen$/m);
    expect(failed.stdout).toMatch(/^ {4}\+ .*event: Seen$/m);
    expect(failed.stdout).not.toMatch(/^ {4}[-+].*distinctId/m);

    const updated = await workplace.run("test", "--update").ended;
    expect(updated).toMatchObject({ code: 0, stdout: expect.stringContaining("event: Unseen") });
    const text = await readFile(join(workplace.directory, "own.examples.yaml"), "utf8");
    expect(text).toContain("# A comment that stays.");
    expect(text).not.toContain("Unseen");
    expect(await workplace.ask("test", "own.yaml", "segment")).toMatchObject([
      { mapping: "own.yaml", results: [{ passed: true }, { passed: true }] },
      { mapping: expect.stringContaining("segment.yaml"), updated: false },
    ]);
    const losing = "examples:\n  - { name: a, # why\n      input: { type: track } }\n";
    await writeFile(join(workplace.directory, "own.examples.yaml"), losing);
    const left = await workplace.run("test", "--update").ended;
    expect(left).toMatchObject({ code: ERRORS.MAPPING_INVALID.exitCode, stderr: "" });
    expect(left.stdout).toContain('stays as it is, the comment "# why" would be lost');
    expect(await readFile(join(workplace.directory, "own.examples.yaml"), "utf8")).toBe(losing);
    const [missing, bare] = await Promise.all([
      workplace.run("test", "none.yaml").ended,
      workplace.run("test", "calls.json").ended,
    ]);
    expect([missing.code, bare.code]).toEqual([ERRORS.NOT_FOUND.exitCode, ERRORS.NOT_FOUND.exitCode]);
  },
);

it(
  "shows of each call the rule, the messages or why there are none, from a list, a file of lines and standard input",
  MANY_PROCESSES,
  async () => {
    const workplace = await open();
    const shown = await workplace.run("preview", "--input", "calls.json").ended;
    expect(shown).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout.split("\n").map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "1 orders",
      '→ event Shop: Order Placed by u1 {"total":7}',
      "2 orders",
      expect.stringMatching(/^✗ invalid_field: .*@cast.*"many".*number/),
      "3 group",
      '→ group identify company acme {"name":"Acme"}',
      "4 track",
      expect.stringMatching(/^✗ illegal_distinct_id: .*"null" is a reserved distinct id/),
      "5 no rule",
      expect.stringMatching(/^✗ unsupported_type: /),
      "",
    ]);
    const lines = async (...words: readonly string[]) =>
      (await workplace.run("preview", "--json", ...words).ended).stdout;
    const fromList = await lines("--input", "calls.json");
    const fromLines = await lines("--input", "calls.jsonl.gz", "--mapping", "./own.yaml");
    expect(fromLines.replace("calls.jsonl.gz:5: ", "")).toBe(fromList);
    expect(JSON.parse(fromList.split("\n")[0] ?? "")).toEqual({
      place: 1,
      rule: "orders",
      messages: [{ event: "Shop: Order Placed", distinctId: "u1", properties: { total: 7 } }],
      problems: [],
    });
    const command = workplace.run("preview", "--input", "-", "--limit", "2", "--json");
    command.process.stdin?.end(await readFile(join(workplace.directory, "calls.jsonl.gz")));
    expect((await command.ended).stdout).toBe(`${fromList.split("\n").slice(0, 2).join("\n")}\n`);
  },
);

it("adds up what a file would come to, as a backfill of it then does", MANY_PROCESSES, async () => {
  const workplace = await open();
  const log = inventSegmentLog({ seed: 11, lines: 1_200 });
  await writeFile(join(workplace.directory, "log.jsonl"), log.text);
  const summary = await workplace.ask<PreviewSummary>("preview", "--input", "log.jsonl", "--summary");
  const backfilled = await workplace.ask<{ messages: number; rejectedByReason: object }>("backfill", "log.jsonl");
  expect(summary).toMatchObject({ records: log.lines, billedEvents: backfilled.messages, duplicates: log.repeated });
  expect(summary.rejected).toEqual(backfilled.rejectedByReason);
  for (const groupType of ["company", "project"]) {
    const { total } = await workplace.ask<{ total: number }>("groups", groupType);
    expect(summary.groupTypes).toContainEqual(expect.objectContaining({ groupType, created: total }));
  }
  const told = await workplace.run("preview", "--input", "log.jsonl", "--summary").ended;
  expect(told.stdout).toMatch(new RegExp(`billed events +${backfilled.messages.toLocaleString("en-US")}\n`));
});

it("previews records that are no calls, and asks for what it needs", MANY_PROCESSES, async () => {
  const workplace = await open();
  const company = { id: "77", properties: { name: "Acme", domain: "acme.com" }, createdAt: "2026-01-01T00:00:00Z" };
  await writeFile(join(workplace.directory, "company.json"), JSON.stringify(company));
  const { stdout } = await workplace.run(
    "preview",
    "--mapping",
    "hubspot",
    "--as",
    "records",
    "--input",
    "company.json",
  ).ended;
  expect(stdout).toContain("→ group identify  company");
  const refused = await Promise.all([
    workplace.run("preview").ended,
    workplace.run("preview", "--input", "none.json").ended,
    workplace.run("preview", "--input", "calls.json", "--mapping", "hubspto").ended,
    workplace.run("preview", "--input", ".").ended,
  ]);
  expect(refused.map(({ code }) => code)).toEqual([
    ERRORS.USAGE.exitCode,
    ERRORS.NOT_FOUND.exitCode,
    ERRORS.NOT_FOUND.exitCode,
    ERRORS.INPUT_INVALID.exitCode,
  ]);
  expect(refused[2]?.stderr).toContain("Did you mean hubspot?");
});

it("shows the rules that hold, in order, each part with where it was written", MANY_PROCESSES, async () => {
  const workplace = await open();
  const { rules } = await workplace.ask<EffectiveMapping>("mapping", "show");
  const [orders] = rules.filter(({ name }) => name === "orders");
  expect(rules.map(({ name }) => name).indexOf("orders")).toBeLessThan(rules.length - 1);
  expect(orders?.parts.map(({ part, from }) => [part, from.file, from.line])).toEqual([
    ["when", "own.yaml", 5],
    ["event.name", "own.yaml", 7],
    ["event.distinctId", "own.yaml", 8],
    ["event.properties", "own.yaml", 9],
  ]);
  const { stdout } = await workplace.run("mapping", "show", "own.yaml").ended;
  expect(stdout).toMatch(
    /# own\.yaml:4\n +- name: orders\n +# own\.yaml:5\n +when: type = "track" and event = "Order Placed"/,
  );
  expect(stdout).toMatch(/# \S+mappings\/segment\.yaml:\d+\n +- name: group/);
});

it(
  "imports the subscriptions of a Segment destination, and says what it could not carry over",
  MANY_PROCESSES,
  async () => {
    const workplace = await open();
    const subscriptions = [
      {
        name: "Orders",
        actionSlug: "event",
        enabled: true,
        trigger: 'type = "track" and event = "Order Placed"',
        settings: { event_name: { "@path": "$.event" }, distinct_id: { "@path": "$.userId" }, weather: "fine" },
      },
      { name: "Old", actionSlug: "event", enabled: false, trigger: 'type = "page"', settings: {} },
    ];
    await writeFile(join(workplace.directory, "subscriptions.json"), JSON.stringify({ data: { subscriptions } }));
    const imported = await workplace.run("mapping", "import", "subscriptions.json", "--out", "imported.yaml").ended;
    expect(imported.code).toBe(0);
    expect(imported.stderr).toMatch(/note: Orders: .*weather/);
    expect(imported.stderr).toContain("note: Old: It is disabled");
    const previewed = await workplace.run(
      "preview",
      "--mapping",
      "./imported.yaml",
      "--input",
      "calls.json",
      "--limit",
      "1",
    ).ended;
    expect(previewed.stdout).toContain("→ event Order Placed  by u1");
    const again = await workplace.run("mapping", "import", "subscriptions.json", "--out", "imported.yaml").ended;
    expect(again).toMatchObject({ code: ERRORS.USAGE.exitCode, stdout: "" });
    await writeFile(join(workplace.directory, "broken.json"), "{");
    expect((await workplace.run("mapping", "import", "broken.json").ended).code).toBe(ERRORS.INPUT_INVALID.exitCode);
  },
);
