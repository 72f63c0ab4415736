/** A backfill into PostHog: what is old goes as history, groups and what is young as everything else. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSecret } from "../../src/config.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { startRunning, WRITE_KEY } from "../server/running.ts";

const DAY_MS = 86_400_000;
const AGES = [900, 400, 3, 1, 0];

/** A track of each age and a group call a line, and padding, so that larger files are read by threads. */
function logOf(lines: number): string {
  return Array.from({ length: lines }, (_, number) => {
    const timestamp = new Date(Date.now() - (AGES[number % AGES.length] ?? 0) * DAY_MS).toISOString();
    const frame = { messageId: `call-${number}`, userId: `user-${number % 7}`, timestamp, receivedAt: timestamp };
    const call =
      number % 11 === 0
        ? { type: "group", groupId: `company-${number % 3}`, traits: { [`at${number}`]: true } }
        : { type: "track", event: "Seen", properties: { number, padding: "x".repeat(900) } };
    return JSON.stringify({ ...frame, ...call });
  }).join("\n");
}

async function backfill(lines: number, historicalMigration?: boolean): Promise<FakePosthog> {
  const posthog = await startFakePosthog();
  onTestFinished(() => posthog.close());
  const running = await startRunning({
    sources: { main: { type: "segment", writeKeys: [WRITE_KEY] } },
    destinations: {
      posthog: {
        type: "posthog",
        host: posthog.url,
        token: createSecret("phc_test"),
        claimGroupTypes: false,
        messagesPerSecond: null,
        historical: { messagesPerSecond: null },
        ...(historicalMigration === undefined ? {} : { historicalMigration }),
      },
    },
  });
  onTestFinished(() => running.remove());
  const path = join(running.dataDir, "calls.jsonl");
  await writeFile(path, logOf(lines));
  const request = { paths: [path], source: "main", waitForDelivery: true } as const;
  const { complete } = await running.operations.backfill(request, () => undefined, new AbortController().signal);
  expect(complete).toBe(true);
  await running.drained();
  return posthog;
}

interface Sent {
  readonly event: string;
  readonly timestamp: string;
}

/** Names of events by whether they went as history, and ages in days of those that did. */
function sentBy({ requests }: FakePosthog) {
  const sent = { historical: [] as Sent[], live: [] as Sent[] };
  for (const { text } of requests) {
    const { historical_migration, batch } = JSON.parse(text);
    sent[historical_migration === true ? "historical" : "live"].push(...batch);
  }
  return sent;
}

const ageOf = ({ timestamp }: Sent) => Math.round((Date.now() - Date.parse(timestamp)) / DAY_MS);

it.each([
  ["read here", 220],
  ["read by threads", 3_300],
])("sends the old events of a file %s as history, and everything else live", async (_, lines) => {
  const { historical, live } = sentBy(await backfill(lines));
  const groups = Math.ceil(lines / 11);
  expect(historical.length + live.length).toBe(lines);
  expect(new Set(historical.map(({ event }) => event))).toEqual(new Set(["Seen"]));
  expect(historical.map(ageOf).filter((days) => days < 2)).toEqual([]);
  expect(live.filter(({ event }) => event === "Seen").filter((event) => ageOf(event) >= 2)).toEqual([]);
  expect(live.filter(({ event }) => event === "$groupidentify")).toHaveLength(groups);
  expect(live.some(({ event }) => event === "Seen")).toBe(true);
});

it("sends all of it live where history is not wanted", async () => {
  const { historical, live } = sentBy(await backfill(220, false));
  expect(historical).toEqual([]);
  expect(live).toHaveLength(220);
});

describe("a file", () => {
  const DAYS = 200;
  const falling = (lines: number) => Array.from({ length: lines }, (_, at) => 10 + (DAYS * at) / lines);
  const jittered = (lines: number) => falling(lines).map((age, at) => age + (at % 5) / 10);

  async function timesFallIn(name: string, ages: readonly number[], call: object) {
    const running = await startRunning({ sources: { main: { type: "segment", writeKeys: [WRITE_KEY] } } });
    onTestFinished(() => running.remove());
    const lines = ages.map((age, number) => {
      const timestamp = new Date(Date.now() - age * DAY_MS).toISOString();
      return JSON.stringify({ ...call, messageId: `call-${number}`, userId: "ann", timestamp, receivedAt: timestamp });
    });
    const path = join(running.dataDir, name);
    await writeFile(path, lines.join("\n"));
    const request = { paths: [path], source: "main", waitForDelivery: false } as const;
    const summary = await running.operations.backfill(request, () => undefined, new AbortController().signal);
    return summary.files.map(({ timesFall }) => timesFall);
  }

  const track = { type: "track", event: "Seen", properties: { padding: "x".repeat(900) } };

  it.each([
    ["of a single page", 40],
    ["of many pages, read by threads", 3_300],
  ])("%s is told when its newest history stands first", async (_, lines) => {
    expect(await timesFallIn("falls.jsonl", falling(lines), track)).toEqual([true]);
    expect(await timesFallIn("jitters.jsonl", jittered(lines), track)).toEqual([true]);
    expect(await timesFallIn("rises.jsonl", falling(lines).toReversed(), track)).toEqual([false]);
  });

  it("without history of events has no such order, nor one of a single day", async () => {
    const group = { type: "group", groupId: "acme", traits: {} };
    expect(await timesFallIn("groups.jsonl", falling(40), group)).toEqual([false]);
    expect(await timesFallIn("day.jsonl", [10, 10.1, 10.2, 10.9], track)).toEqual([false]);
  });
});
