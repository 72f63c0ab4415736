import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { openEngine } from "../../src/engine/open.ts";
import { appendMessages, eventMessage, silent } from "./messages.ts";
import { BATCHES, EVENTS_PER_BATCH, scriptedBatch } from "./scripted-batches.ts";
import { openTemporary, temporaryFile } from "./temporary.ts";

const failure = (path: string) => openEngine({ path, logger: silent }).catch((thrown: unknown) => thrown);

it("names the file that another process holds", async () => {
  const path = temporaryFile();
  const holder = spawn(process.execPath, [new URL("append-process.ts", import.meta.url).pathname, path, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(holder.stdout)) {
    if (line === "closed") break;
    if (line !== "3") continue;
    expect(await failure(path)).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      retryable: true,
      hint: expect.stringContaining(path),
    });
    holder.kill("SIGKILL");
  }
  const engine = await openTemporary({ path });
  expect((await engine.groupTypes()).length).toBe(2);
});

it("names the file that this process holds already", async () => {
  const path = temporaryFile();
  const first = await openTemporary({ path });
  expect(await failure(path)).toMatchObject({ code: "ENGINE_UNAVAILABLE", message: expect.stringContaining(path) });
  await appendMessages(first, [eventMessage({ seed: 1, groups: { company: "a" } })]);
  await first.close();
  const again = await openTemporary({ path });
  expect((await again.groupTypes()).length).toBe(1);
});

it.each<[string, (whole: Buffer) => Buffer]>([
  ["text", () => Buffer.from("this is no database\n".repeat(1000))],
  ["cut short", (whole) => whole.subarray(0, 5000)],
  ["overwritten", (whole) => whole.fill(0x5a, 4096, 16_384)],
])("says that a file is not a database it can read: %s", async (_, damage) => {
  const path = temporaryFile();
  const engine = await openTemporary({ path });
  await appendMessages(engine, scriptedBatch(1));
  await engine.close();
  const damaged = damage(readFileSync(path));
  writeFileSync(path, damaged);
  expect(await failure(path)).toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining(path),
    hint: expect.stringContaining("move it away"),
  });
  expect(readFileSync(path).equals(damaged)).toBe(true);
});

it("refuses a file written by a newer prickle", async () => {
  const path = temporaryFile();
  await (await openTemporary({ path })).close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run("UPDATE engine_schema SET version = 99");
  connection.closeSync();
  instance.closeSync();
  expect(await failure(path)).toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("newer prickle (schema 99"),
  });
});

it("says so when the directory is not there", async () => {
  const path = `${temporaryFile()}.d/engine.duckdb`;
  expect(await failure(path)).toMatchObject({ code: "ENGINE_UNAVAILABLE", message: expect.stringContaining(".d:") });
});

it("leaves no log behind when closed, and keeps it bounded while it works", async () => {
  const path = temporaryFile();
  const engine = await openTemporary({ path });
  let longestLog = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    await appendMessages(engine, [
      ...scriptedBatch(batch),
      ...scriptedBatch(batch + BATCHES),
      ...scriptedBatch(batch + 2 * BATCHES),
    ]);
    longestLog = Math.max(longestLog, statSync(`${path}.wal`, { throwIfNoEntry: false })?.size ?? 0);
  }
  expect(longestLog).toBeGreaterThan(1_000_000);
  expect(longestLog).toBeLessThan(48_000_000);
  await engine.close();
  expect(existsSync(`${path}.wal`)).toBe(false);
});

const canRaiseLimits = (() => {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

it.skipIf(!canRaiseLimits)("refuses for a while when the disk is full, and goes on when it is not", async () => {
  const path = temporaryFile();
  const script = 'ulimit -S -f 3000; exec "$0" "$@"';
  const appending = spawn(
    "sh",
    ["-c", script, process.execPath, new URL("append-process.ts", import.meta.url).pathname, path, "0"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const refusals: string[] = [];
  let isClosed = false;
  for await (const line of createInterface(appending.stdout)) {
    if (line.startsWith("refused")) refusals.push(line);
    // Several times, so that one refusal does not spoil the next try.
    if (refusals.length === 3) execFileSync("prlimit", ["--pid", String(appending.pid), "--fsize=unlimited:"]);
    isClosed ||= line === "closed";
  }
  expect(refusals.length).toBeGreaterThanOrEqual(3);
  expect(refusals[0]).toMatch(/^refused ENGINE_UNAVAILABLE See that the disk has room/);
  expect(isClosed).toBe(true);
  const engine = await openTemporary({ path });
  const query = { event: null, interval: "day", from: null, to: null, breakdown: null } as const;
  const { series } = await engine.trends({ ...query, groupType: "project" });
  expect(series[0]?.total).toBe(BATCHES * EVENTS_PER_BATCH);
});
