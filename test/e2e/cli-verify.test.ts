/** `prickle doctor` and `prickle verify` as an operator runs them. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { VerifyReport } from "../../src/core/verification.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createWorkplace, eventually, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";

const KEY = "phx_reader";
const reference = (name: string) => `$\{${name}}`;

let posthog: FakePosthog;
let workplace: Workplace;

beforeEach(async () => {
  posthog = await startFakePosthog();
  posthog.api.scopesOf.set(KEY, ["group:read", "project:read"]);
  const asks = { personalApiKey: reference("PERSONAL"), projectId: 7 };
  workplace = await createWorkplace(
    {
      server: { port: 0 },
      sources: { segment: { type: "segment" } },
      destinations: { posthog: { type: "posthog", host: posthog.url, token: reference("TOKEN"), ...asks } },
    },
    { env: { TOKEN: "phc_test", PERSONAL: KEY } },
  );
});
afterEach(async () => {
  await workplace.remove();
  await posthog.close();
});

async function backfill(...groups: readonly string[]): Promise<void> {
  const lines = groups.map((groupId, index) => {
    const call = { type: "group", userId: "ann", groupId, messageId: groupId, traits: { name: groupId, seats: 3 } };
    return `${JSON.stringify({ ...call, timestamp: new Date(Date.UTC(2026, 0, 1, index)).toISOString() })}\n`;
  });
  await writeFile(join(workplace.directory, "groups.jsonl"), lines.join(""));
  await workplace.ask("backfill", "groups.jsonl");
}

const verify = (...words: readonly string[]) => workplace.run("verify", "--settling", "0", ...words).ended;

it(
  "verify finds what was lost, says what a repair costs, and queues it for the next delivery",
  MANY_PROCESSES,
  async () => {
    await backfill("acme", "beta", "core");
    expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringContaining("none differs") });
    const truth = Object.fromEntries(posthog.groups);
    posthog.changeGroup("company", "beta", null);
    posthog.changeGroup("company", "core", { seats: 4 });
    posthog.changeGroup("company", "stranger", { name: "?" });

    const { code, stdout, stderr } = await verify("--repair", "--dry-run", "--price", "0.5");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/group type +known +shown +same +missing +differing +waiting +owed +settling +unknown\n/);
    expect(stdout).toMatch(/company +3 +3 +1 +1 +1 +0 +0 +0 +1\n/);
    expect(stdout).toContain("company: missing\n  beta\n");
    expect(stdout).toContain("core seats is 4, should be 3");
    expect(stdout).toContain("left alone\n  stranger\n");
    expect(stdout).toContain("`prickle verify --repair` would queue 2 group identifies, at 0.5 each 1, and 0 removals");

    const { stdout: json } = await verify("--repair", "--json");
    expect(JSON.parse(json)).toMatchObject({
      queued: true,
      differences: 2,
      identifies: 2,
    } satisfies Partial<VerifyReport>);
    const served = await workplace.serve();
    expect(await eventually(() => posthog.groups.has("company\0beta"))).toBe(true);
    // Through the server that holds the data directory.
    expect(await verify()).toMatchObject({ code: 0 });
    expect(await served.stop()).toBe(0);
    expect(Object.fromEntries(posthog.groups)).toEqual({ ...truth, "company\0stranger": { name: "?" } });
  },
);

it("verify ends with another code where PostHog cannot be asked, and says why", MANY_PROCESSES, async () => {
  await backfill("acme");
  posthog.api.scopesOf.delete(KEY);
  const { code, stderr } = await verify();
  expect(code).toBe(78);
  expect(stderr).toContain("PostHog does not know the key");
  expect(stderr).not.toContain(KEY);
});

it(
  "doctor looks at the project without a data directory and while serve runs, and fails for a problem",
  MANY_PROCESSES,
  async () => {
    const { code, stdout, stderr } = await workplace.run("doctor").ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^posthog\nok +token +The token has the form of a project token\.\n/);
    expect(stdout).toMatch(/left out +old events +PostHog does not say/);
    expect(stdout).toMatch(/\nno problem, 3 left out\n$/);
    expect(posthog.requests).toEqual([]);

    const served = await workplace.serve();
    posthog.api.settings = { api_token: "phc_other" };
    const failed = await workplace.run("doctor", "--json").ended;
    expect(failed.code).toBe(1);
    const { ok, destinations } = JSON.parse(failed.stdout);
    expect(ok).toBe(false);
    expect(destinations[0]).toMatchObject({ destination: "posthog" });
    expect(destinations[0].checks).toContainEqual(expect.objectContaining({ name: "project", verdict: "problem" }));
    expect(await served.stop()).toBe(0);
  },
);
