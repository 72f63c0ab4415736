import { createColors } from "picocolors";
import { describe, expect, it } from "vitest";
import type { SampleReport } from "../../src/cli/sample-report.ts";
import { showSample } from "../../src/cli/sample-show.ts";

const report: SampleReport = {
  in: {
    calls: 8820,
    byType: { track: 6040, page: 1384, group: 625, identify: 273, alias: 272, screen: 217, delete: 9 },
    byDoor: { webhook: 1594, tracking: 7226 },
    requests: 137,
    retries: 1,
    tookMs: 2140,
  },
  out: {
    messages: 8682,
    delivered: 8682,
    duplicates: 111,
    rejected: 27,
    rejectedByReason: { delete_not_supported: 9, missing_user: 9, missing_group_id: 9 },
    dead: 0,
    attributed: 1234,
    saved: 321,
    playedBefore: false,
  },
  groupTypes: [
    { groupType: "company", index: 0, groups: 40 },
    { groupType: "project", index: 1, groups: 107 },
  ],
  companies: { total: 40, top: [company("Northgate Insurance", 16_320), company(`${"Very ".repeat(9)}Long Ltd`, 0)] },
  weeklyActive: [
    { start: "2026-08-02", uniqueGroups: 10 },
    { start: "2026-08-09", uniqueGroups: 20 },
  ],
  server: {
    url: "http://127.0.0.1:8118",
    dataDir: ".prickle-sample",
    busyPort: 8117,
    source: "segment",
    writeKey: "wk_7f3d5f0a9b1c2e4d",
  },
};

const plain = showSample(report, createColors(false));

describe("the page of prickle start", () => {
  it("is at most 100 columns wide and has no codes of colours without a terminal", () => {
    const widths = plain.split("\n").map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(100);
    expect(plain).not.toContain("\u001b");
    expect(showSample(report, createColors(true))).toContain("\u001b");
  });

  it("tells what went in, what came out, and why calls were refused", () => {
    expect(plain).toContain("8,820 calls");
    expect(plain).toContain("137 requests, 1 request made again");
    expect(plain).toContain("1,234 events gained a group by who did them · 321 group calls said nothing new");
    expect(plain).toContain("111 duplicates left out · 27 rejected · 0 dead");
    expect(plain).toContain("delete_not_supported 9, missing_user 9");
  });

  it("lists group types and companies with their properties", () => {
    expect(plain).toContain("company 40 · project 107");
    expect(plain).toMatch(/Northgate Insurance +co_1 +enterprise +480 +16,320 +Insurance +GB +active/);
  });

  it("draws weeks to one scale", () => {
    const bars = [...plain.matchAll(/█+/g)].map(([bar]) => bar.length);
    expect(bars).toEqual([30, 60]);
  });

  it("says where the server listens, that its port was taken, and how to go on", () => {
    expect(plain).toContain("http://127.0.0.1:8118  (port 8117 was taken)");
    expect(plain).toContain("curl -u wk_7f3d5f0a9b1c2e4d: http://127.0.0.1:8118/v1/group");
    expect(plain).not.toContain("known again");
  });

  it("says so when all of it had come before", () => {
    const again = showSample({ ...report, out: { ...report.out, playedBefore: true } }, createColors(false));
    expect(again).toContain("every call was known again");
  });
});

function company(name: string, mrr: number): SampleReport["companies"]["top"][number] {
  const properties = {
    name,
    plan: "enterprise",
    seats: 480,
    mrr,
    industry: "Insurance",
    country: "GB",
    status: "active",
  };
  return { groupKey: "co_1", name, properties, createdAt: "2026-08-03T06:00:00Z", updatedAt: "2026-08-03T06:00:00Z" };
}
