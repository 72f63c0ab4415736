/** Messages given up, through the command line: found, mended, put back at a rate, exported, and traced to the end. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { DeadLetter } from "../../src/core/dead-letter.ts";
import type { LedgerStatus } from "../../src/core/ledger.ts";
import type { Trace } from "../../src/core/trace.ts";
import { eventually, MANY_PROCESSES } from "./prickle-process.ts";
import { createRig, type Rig } from "./rig.ts";

const LINES = 40;
const FILE = "calls.jsonl";

/** PostHog refuses every message as too large, and prickle has given all of them up. */
async function openRig(): Promise<Rig> {
  const rig = await createRig();
  onTestFinished(() => rig.remove());
  const lines = Array.from({ length: LINES }, (_, index) => {
    const call = { type: "track", event: index % 2 === 0 ? "Even" : "Odd", userId: `user-${index}` };
    return `${JSON.stringify({ ...call, messageId: `call-${index}`, timestamp: new Date().toISOString() })}\n`;
  });
  await writeFile(join(rig.workplace.directory, FILE), lines.join(""));
  rig.posthog.failWhen(() => ({ kind: "status", status: 413, body: "not today" }));
  return rig;
}

const posthogOf = ({ destinations }: LedgerStatus) => destinations.find(({ name }) => name === "posthog");
const lettersOf = ({ workplace }: Rig, ...words: readonly string[]) =>
  workplace.ask<readonly DeadLetter[]>("dead", "list", "--destination", "posthog", "--limit", "1000", ...words);

it(
  "finds, mends and exports them, and tells what became of each, through a server and without one",
  MANY_PROCESSES,
  async () => {
    const rig = await openRig();
    const { posthog, workplace } = rig;
    const served = await workplace.serve();
    await workplace.ask("backfill", FILE);
    const letters = await lettersOf(rig);
    expect(letters).toHaveLength(LINES);
    expect(await lettersOf(rig, "--event", "Odd", "--reason", "NOT TODAY")).toHaveLength(LINES / 2);
    expect(await lettersOf(rig, "--to", "2026-01-01")).toEqual([]);

    const [first, second, third] = letters;
    const file = join(workplace.directory, "letter.json");
    const shown = await workplace.run("dead", "show", `${first?.id}`, "--payload").ended;
    expect(shown.stdout).toBe(`${first?.body}\n`);
    posthog.failWhen(() => null);
    const mended = { ...JSON.parse(shown.stdout), event: "Mended" };
    await writeFile(file, JSON.stringify({ ...mended, timestamp: "2026-01-01T00:00:00.000Z" }));
    const refused = await workplace.run("dead", "replay", `${first?.id}`, "--with", file).ended;
    expect(refused).toMatchObject({ code: 65, stderr: expect.stringContaining("timestamp must stay") });
    await writeFile(file, JSON.stringify(mended, null, 2));
    expect(await workplace.ask("dead", "replay", `${first?.id}`, "--with", file)).toEqual({ replayed: 1 });
    expect(await eventually(() => posthog.events().some(({ event }) => event === "Mended"))).toBe(true);
    await eventually(async () => posthogOf(await workplace.ask("status"))?.depth === 0);
    expect(posthog.events()).toMatchObject([{ event: "Mended", uuid: first?.uuid, timestamp: mended.timestamp }]);

    expect(await workplace.ask("dead", "drop", "--reason", "not today", "--limit", "1")).toEqual({ dropped: 1 });
    const traced = await Promise.all(
      [first, second, third].map((letter) => workplace.ask<Trace>("trace", `${letter?.uuid}`)),
    );
    const stepsOf = ({ records }: Trace) =>
      records
        .flatMap(({ outputs }) => outputs.flatMap(({ deliveries }) => deliveries))
        .find((one) => one.destination === "posthog");
    const died = { kind: "dead", attempt: 1, answer: expect.stringContaining("not today") };
    expect(traced.map(stepsOf)).toMatchObject([
      {
        steps: [died, { kind: "replayed", isEdited: true, event: "Mended" }, { kind: "delivered" }],
        state: { kind: "delivered" },
      },
      { steps: [died, { kind: "dropped" }], state: { kind: "forgotten" } },
      { steps: [died], state: { kind: "dead", deadLetter: third?.id } },
    ]);
    const text = (await workplace.run("trace", `${first?.uuid}`).ended).stdout;
    expect(text).toMatch(/record +segment call-\d+\n/);
    expect(text).toMatch(/rule +track\n/);
    expect(text).toMatch(/posthog +\S+Z +attempt 1: given up +PostHog answered 413: .*not today/);
    expect(text).toMatch(/\S+Z +put back, its text changed: event Mended of user-\d+\n/);
    const exported = await workplace.run("dead", "export", "--event", "Odd").ended;
    const lines = exported.stdout.trimEnd().split("\n");

    expect(await served.stop()).toBe(0);
    expect((await workplace.run("dead", "export", "--event", "Odd").ended).stdout).toBe(exported.stdout);
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      (await lettersOf(rig, "--event", "Odd")).map(({ body, ...letter }) => ({ ...letter, payload: JSON.parse(body) })),
    );
    expect(await workplace.ask("trace", `${first?.uuid}`)).toEqual(traced[0]);
    const missing = await workplace.run("dead", "replay", `${third?.id}`, "--with", "missing.json").ended;
    expect(missing).toMatchObject({ code: 66, stderr: expect.stringContaining("missing.json cannot be read") });
    const unknown = await workplace.run("trace", "nobody").ended;
    expect(unknown).toMatchObject({ code: 66, stderr: expect.stringContaining('Nothing is remembered of "nobody"') });
    expect(unknown.stderr).toMatch(/What happened since \d{4}-\S+Z is remembered \(ledger\.traceDays/);
  },
);

it("puts them back at a rate, and killed in the middle neither loses nor doubles one", MANY_PROCESSES, async () => {
  const rig = await openRig();
  const { posthog, workplace } = rig;
  await workplace.serve();
  await workplace.ask("backfill", FILE);
  const letters = await lettersOf(rig);
  posthog.failWhen(() => null);
  const replaying = workplace.run("dead", "replay", "--destination", "posthog", "--rate", "5/s");
  expect(await eventually(() => posthog.arrivals.length >= 5)).toBe(true);
  replaying.process.kill("SIGKILL");
  await replaying.ended;
  const left = await lettersOf(rig);
  expect(left.length).toBeLessThan(LINES);
  expect(left.length).toBeGreaterThan(0);
  expect(await workplace.ask("dead", "replay", "--destination", "posthog", "--rate", "1000/s")).toEqual({
    replayed: left.length,
  });
  expect(await eventually(() => posthog.arrivals.length >= LINES)).toBe(true);
  expect([...posthog.arrivals].sort()).toEqual(letters.map(({ uuid }) => uuid).sort());
  expect(await lettersOf(rig)).toEqual([]);
});
