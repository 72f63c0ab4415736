import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import type { Engine } from "../../src/engine/open.ts";
import { appendMessages } from "./messages.ts";
import { BATCHES, EVENTS_PER_BATCH, scriptedBatch } from "./scripted-batches.ts";
import { openTemporary, temporaryFile } from "./temporary.ts";

const KILLS = 5;

it("is whole after every kill -9: what was confirmed is there, no batch is there in part", async () => {
  const path = temporaryFile();
  let confirmed = -1;
  for (let kill = 0; kill < KILLS; kill++) {
    confirmed = Math.max(confirmed, await appendUntilKilled(path, confirmed + 1, 4 + kill * 3));
    const engine = await openTemporary({ path });
    const batches = await wholeBatches(engine);
    expect(batches - 1).toBeGreaterThanOrEqual(confirmed);
    await engine.close();
  }
  const engine = await openTemporary({ path });
  for (let batch = 0; batch < BATCHES; batch++) await appendMessages(engine, scriptedBatch(batch));
  expect(await wholeBatches(engine)).toBe(BATCHES);
});

/** Kills the process right after it has confirmed `batches`, in the middle of the next. Gives the last it confirmed. */
async function appendUntilKilled(path: string, first: number, batches: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [processFile(), path, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let last = -1;
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface(child.stdout)) {
    if (/^\d+$/.test(line)) last = Number(line);
    if (last >= first + batches) child.kill("SIGKILL");
  }
  await exited;
  return last;
}

function processFile(): string {
  return new URL("append-process.ts", import.meta.url).pathname;
}

/** Batches in the file; fails if one is there in part. */
async function wholeBatches(engine: Engine): Promise<number> {
  const query = { event: null, interval: "day", from: null, to: null, breakdown: null } as const;
  const { series } = await engine.trends({ ...query, groupType: "project" });
  const points = series[0]?.points ?? [];
  expect(new Set(points.map(({ uniqueGroups }) => uniqueGroups))).toEqual(new Set([EVENTS_PER_BATCH]));
  const { groups } = await engine.groups({ groupType: "company", limit: 10, offset: 0 });
  const expected = points.flatMap((_, batch) => [[`batch_${batch}`, true] as const]);
  expect(groups[0]?.properties).toEqual({ ...Object.fromEntries(expected), batch: points.length - 1 });
  return points.length;
}
