import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Call } from "../../samples/call.ts";
import { generateSample } from "../../samples/sample.ts";
import type { SampleReport } from "../../src/cli/sample-report.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const calls = generateSample()
  .trimEnd()
  .split("\n")
  .map((line): Call => JSON.parse(line));
const usable = calls.filter(
  ({ type, userId, anonymousId, groupId }) => type !== "delete" && (userId || anonymousId) && groupId !== "",
);
const WEEK_MS = 7 * 86_400_000;

describe("prickle start --exit", () => {
  let dir: string;
  let first: SampleReport;
  let second: SampleReport;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "prickle-start-"));
    first = await start();
    second = await start();
  });

  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function start(): Promise<SampleReport> {
    const options = ["--exit", "--json", "--data-dir", join(dir, "data"), "--port", "0"];
    const { stdout } = await promisify(execFile)(process.execPath, [main, "start", ...options], { cwd: dir });
    return JSON.parse(stdout);
  }

  it("delivers every call once, keeps the bad ones with their reason, and gives nothing up", () => {
    const { in: taken, out } = first;
    expect(taken.calls).toBe(calls.length);
    expect(out.duplicates).toBe(usable.length - new Set(usable.map(({ messageId }) => messageId)).size);
    expect(out.rejectedByReason).toEqual({ delete_not_supported: 9, missing_user: 9, missing_group_id: 9 });
    expect(out.delivered).toBe(out.messages);
    expect(out.dead).toBe(0);
    expect(out.playedBefore).toBe(false);
  });

  it("finds the companies and projects that are in the file", () => {
    const companies = new Set(groupCalls().flatMap(({ traits, groupId }) => (traits.groupType ? [] : groupId)));
    const projects = new Set(groupCalls().flatMap(({ traits, groupId }) => (traits.groupType ? groupId : [])));
    expect(first.groupTypes.map(({ groupType, groups }) => [groupType, groups])).toEqual([
      ["company", companies.size],
      ["project", projects.size],
    ]);
  });

  it("shows each company as its last call left it", () => {
    for (const { groupKey, properties } of first.companies.top) {
      const last = groupCalls().findLast(({ groupId, traits }) => groupId === groupKey && "mrr" in traits);
      expect(properties).toMatchObject(last?.traits ?? { "no call": groupKey });
    }
  });

  it("counts the companies of each week as plain code over the file does", () => {
    expect(first.weeklyActive).toEqual(companiesByWeek());
  });

  it("moves no number when it runs again, and says that all was known", () => {
    const { playedBefore, messages, delivered, duplicates } = second.out;
    expect({ playedBefore, messages, delivered }).toEqual({ playedBefore: true, messages: 0, delivered: 0 });
    expect(duplicates).toBe(usable.length);
    expect(second.groupTypes).toEqual(first.groupTypes);
    expect(second.companies).toEqual(first.companies);
    expect(second.weeklyActive).toEqual(first.weeklyActive);
  });
});

function groupCalls(): { readonly groupId: string; readonly traits: Readonly<Record<string, unknown>> }[] {
  return calls.flatMap(({ type, groupId, traits }) =>
    type === "group" && groupId ? { groupId: String(groupId), traits: traits as Record<string, unknown> } : [],
  );
}

/** Weeks start on Sunday. Group identifies are no events. */
function companiesByWeek(): SampleReport["weeklyActive"] {
  const sunday = Date.UTC(2026, 7, 2);
  const weeks = new Map<number, Set<unknown>>();
  for (const { type, timestamp, context } of calls) {
    const groupId = (context as { groupId?: string } | undefined)?.groupId;
    if (type === "group" || groupId === undefined) continue;
    const start = sunday + Math.floor((Date.parse(timestamp) - sunday) / WEEK_MS) * WEEK_MS;
    weeks.set(start, (weeks.get(start) ?? new Set()).add(groupId));
  }
  return [...weeks]
    .sort(([one], [other]) => one - other)
    .map(([start, groups]) => ({ start: new Date(start).toISOString().slice(0, 10), uniqueGroups: groups.size }));
}
