/** What prickle knows of groups against what a PostHog project shows, broken on purpose, and repaired. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createSecret } from "../../src/config.ts";
import type { VerifyProgress, VerifyReport, VerifyRequest } from "../../src/core/verification.ts";
import { connectOperations } from "../../src/server/admin-client.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { post, type Running, startRunning, WITH_KEY, WRITE_KEY } from "../server/running.ts";

const KEY = "phx_reader";
const MAPPING = `
groupTypes: [company, project]
groups: { nulls: unset, volatile: [visits] }
rules:
  - name: group
    when: type = "group"
    groupIdentify:
      groupType: { "@path": $.context.groupType }
      groupKey: { "@path": $.groupId }
      properties: { "@path": $.traits }
`;
const never = new AbortController().signal;

let posthog: FakePosthog;
let running: Running;
let told: number;

beforeEach(async () => {
  const [fake, directory] = await Promise.all([startFakePosthog(), mkdtemp(join(tmpdir(), "prickle-verify-"))]);
  posthog = fake;
  told = 0;
  posthog.api.scopesOf.set(KEY, ["group:read", "group:write"]);
  posthog.api.pageSize = 3;
  const mapping = join(directory, "mapping.yaml");
  await writeFile(mapping, MAPPING);
  const asks = { personalApiKey: createSecret(KEY), projectId: 7 };
  running = await startRunning({
    sources: { main: { type: "segment", mapping, writeKeys: [WRITE_KEY] } },
    destinations: {
      posthog: { type: "posthog", host: posthog.url, token: createSecret("phc_test"), ...asks },
      engine: { type: "engine" },
    },
  });
  onTestFinished(async () => {
    await running.remove();
    await posthog.close();
    await rm(directory, { recursive: true, force: true });
  });
});

async function tell(groupId: string, traits: object, groupType = "company"): Promise<void> {
  told += 1;
  const timestamp = new Date(Date.UTC(2026, 0, 1) + told).toISOString();
  const call = { type: "group", userId: "ann", messageId: `m${told}`, timestamp, context: { groupType } };
  const answer = await post(`${running.url}/v1/batch`, { batch: [{ ...call, groupId, traits }] }, WITH_KEY);
  expect(answer.status).toBe(200);
}

async function verify(more: Partial<VerifyRequest> = {}, observe: (progress: VerifyProgress) => void = () => {}) {
  const request = { destination: "posthog", repair: false, examples: 5, settlingMs: 0, ...more };
  return running.operations.verify(request, observe, never);
}

const companyIn = ({ groupTypes }: VerifyReport) => groupTypes.find(({ groupType }) => groupType === "company");
const groupsNow = () => Object.fromEntries([...posthog.groups].toSorted());
const KEYS = ["acme", "beta", "core", "delta", "echo", "foxtrot", "golf"];

async function tellAll(): Promise<void> {
  for (const key of KEYS) await tell(key, { name: key, seats: 3, tags: ["a", { b: 1, c: null }] });
  await tell("web", { name: "Web" }, "project");
  await running.drained();
}

describe("a project that has all it was sent", () => {
  it("differs in nothing, whatever else PostHog, or others, have of its groups", async () => {
    await tellAll();
    posthog.changeGroup("company", "acme", { $geoip: "Ulm", score: 7, tags: ["a", { c: null, b: 1 }] });
    const report = await verify();
    expect(report).toMatchObject({
      destination: "posthog",
      differences: 0,
      identifies: 0,
      removals: 0,
      unfinished: null,
    });
    expect(report.groupTypes).toMatchObject([
      { groupType: "company", index: 0, known: 7, shown: 7, same: 7, unknown: { count: 0 } },
      { groupType: "project", index: 1, known: 1, shown: 1, same: 1 },
    ]);
    // Three pages of companies and one of projects, after the list of types.
    expect(posthog.api.requests.filter((path) => path.includes("/groups/?"))).toHaveLength(4);
  });

  it("may spell what PostgreSQL does not take in another way", async () => {
    await tell("acme", { name: "A\u0000c\ud800me" });
    await running.drained();
    posthog.changeGroup("company", "acme", { name: "A\ufffdc\ufffdme" });
    expect(companyIn(await verify())).toMatchObject({ same: 1 });
  });
});

describe("a project that lost some of it", () => {
  beforeEach(async () => {
    await tellAll();
    await tell("core", { seats: null });
    await running.drained();
  });

  it("is told exactly what is missing, different, still there, and nobody's", async () => {
    posthog.changeGroup("company", "beta", null);
    posthog.changeGroup("company", "core", { name: "Other", seats: 9 });
    posthog.changeGroup("company", "echo", { tags: ["a"] });
    posthog.removeProperty(0, "golf", "seats");
    posthog.changeGroup("company", "stranger", { name: "?" });
    posthog.changeGroup("team", "t", { name: "of others" });
    const report = await verify();
    expect(companyIn(report)).toEqual({
      groupType: "company",
      index: 0,
      known: 7,
      shown: 7,
      same: 3,
      missing: { count: 1, examples: ["beta"] },
      differing: {
        count: 3,
        examples: [
          {
            groupKey: "core",
            properties: [
              { name: "name", expected: "core", shown: "Other" },
              { name: "seats", shown: 9 },
            ],
          },
          { groupKey: "echo", properties: [{ name: "tags", expected: ["a", { b: 1, c: null }], shown: ["a"] }] },
          { groupKey: "golf", properties: [{ name: "seats", expected: 3 }] },
        ],
      },
      unknown: { count: 1, examples: ["stranger"] },
      leftOut: { waiting: 0, owed: 0, settling: 0 },
    });
    expect(report).toMatchObject({ differences: 4, identifies: 4, removals: 1, queued: false });
    expect((await running.operations.status()).depth).toBe(0);
  });

  it("has the truth again once a repair is delivered, and others keep what is theirs", async () => {
    const truth = groupsNow();
    posthog.changeGroup("company", "beta", null);
    posthog.changeGroup("company", "core", { name: "Other", seats: 9, theirs: 1 });
    posthog.changeGroup("company", "stranger", { name: "?" });
    posthog.deleteGroupType("project");
    posthog.changeGroup("project", "web", null);
    const eventsBefore = posthog.arrivals.length;
    expect(await verify({ repair: true })).toMatchObject({ differences: 3, identifies: 3, removals: 1, queued: true });
    await running.drained();
    expect(groupsNow()).toEqual({
      ...truth,
      "company\0core": { ...truth["company\0core"], theirs: 1 },
      "company\0stranger": { name: "?" },
    });
    expect(new Set(posthog.arrivals).size).toBe(eventsBefore + 3);
    expect(await verify()).toMatchObject({ differences: 0 });
  });

  it("is not asked for what waits, is dead, is held back or was delivered just now", async () => {
    await tell("acme", { name: "Acme", visits: 1 });
    await running.drained();
    await tell("acme", { visits: 2 });
    expect(companyIn(await verify({ settlingMs: 3_600_000 }))).toMatchObject({
      same: 0,
      leftOut: { owed: 1, settling: 6 },
    });

    posthog.failWhen(() => ({ kind: "status", status: 413 }));
    await tell("beta", { name: "Beta Inc." });
    await running.drained();
    posthog.failWhen(() => ({ kind: "status", status: 503 }));
    await tell("delta", { name: "Delta Inc." });
    expect(companyIn(await verify())).toMatchObject({
      same: 4,
      leftOut: { waiting: 1, owed: 2 },
      differing: { count: 0 },
    });
    // Of what else is said of them nothing is forgiven.
    posthog.changeGroup("company", "delta", { seats: 4 });
    expect(companyIn(await verify())).toMatchObject({
      differing: {
        count: 1,
        examples: [{ groupKey: "delta", properties: [{ name: "seats", expected: 3, shown: 4 }] }],
      },
      leftOut: { waiting: 0, owed: 2 },
    });
  });

  it("is repaired around what waits: the newer change comes last, and a second repair finds nothing to queue", async () => {
    posthog.failWhen(() => ({ kind: "status", status: 503 }));
    await tell("beta", { name: "Beta Inc." });
    posthog.changeGroup("company", "beta", null);
    posthog.changeGroup("company", "acme", { name: "Other" });
    expect(await verify({ repair: true })).toMatchObject({ differences: 2, identifies: 2 });
    expect(await verify({ repair: true })).toMatchObject({ differences: 0, identifies: 0 });
    await tell("acme", { name: "Acme Inc." });
    posthog.failWhen(() => null);
    await running.drained();
    expect(groupsNow()).toMatchObject({
      "company\0beta": { name: "Beta Inc.", seats: 3, group_key: "beta" },
      "company\0acme": { name: "Acme Inc." },
    });
  });

  it("is asked again as long as it asks for patience, and goes on where it was", async () => {
    posthog.api.script.push(null, null, { kind: "status", status: 429, retryAfter: "1" }, { kind: "reset" });
    const seen: VerifyProgress[] = [];
    const report = await verify({ groupType: "company" }, (progress) => seen.push(progress));
    expect(companyIn(report)).toMatchObject({ known: 7, shown: 7, same: 7 });
    expect(seen.filter(({ pause }) => pause !== null)).toMatchObject([
      { groupType: "company", groups: 3, pause: { ms: 1000, reason: expect.stringContaining("429") } },
      { groupType: "company", groups: 3, pause: { reason: expect.stringContaining("was not reached") } },
    ]);
  });

  it("is called unfinished, and nothing missing, where its list breaks off", async () => {
    posthog.api.script.push(null, null, { kind: "status", status: 200, body: "<html>" });
    const report = await verify();
    expect(report).toMatchObject({ differences: 0, unfinished: expect.stringContaining("no page of groups") });
    expect(companyIn(report)).toMatchObject({ shown: 3, missing: { count: 0 } });
  });
});

describe("groups that only PostHog has", () => {
  beforeEach(async () => {
    await tell("acme", { name: "Acme" });
    await running.drained();
    posthog.takeSlot("team");
    for (const [groupType, key] of [
      ["project", "web"],
      ["team", "red"],
      ["team", "blue"],
    ] as const) {
      posthog.changeGroup(groupType, key, { name: "of others" });
    }
  });

  it("are told, in a type that is declared and in one that only the project has", async () => {
    const report = await verify({ repair: true });
    expect(report).toMatchObject({ differences: 0, identifies: 0, removals: 0, unfinished: null });
    expect(report.groupTypes).toMatchObject([
      { groupType: "company", known: 1, shown: 1, same: 1, unknown: { count: 0 } },
      { groupType: "project", known: 0, shown: 1, unknown: { count: 1, examples: ["web"] } },
      { groupType: "team", known: 0, shown: 2, unknown: { count: 2, examples: ["blue", "red"] } },
    ]);
  });

  it("are told of such a type alone", async () => {
    expect((await verify({ groupType: "project" })).groupTypes).toMatchObject([
      { groupType: "project", unknown: { count: 1, examples: ["web"] } },
    ]);
    await expect(verify({ groupType: "deal" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      hint: "There is company, project, team.",
    });
  });
});

it("does not follow a list that goes in circles", async () => {
  await tellAll();
  const page = { next: "https://posthog.internal/?cursor=a", previous: null, results: [] as object[] };
  page.results.push({ group_key: "acme", group_properties: {} });
  posthog.api.script.push(null, ...new Array(3).fill({ kind: "status", status: 200, body: JSON.stringify(page) }));
  expect(await verify()).toMatchObject({ unfinished: expect.stringContaining("in circles") });
});

describe("whatever is broken, and whatever is told meanwhile,", () => {
  const key = fc.constantFrom("acme", "beta", "core");
  const name = fc.constantFrom("name", "plan", "__proto__");
  const value = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 3 }), fc.constant("x"));
  const action = fc.oneof(
    fc.record({ kind: fc.constant("tell" as const), key, name, value }),
    fc.record({ kind: fc.constant("change" as const), key, name, value }),
    fc.record({ kind: fc.constant("remove" as const), key, name }),
    fc.record({ kind: fc.constant("delete" as const), key }),
  );
  type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;
  const bag = (property: string, given: unknown): object =>
    JSON.parse(`{${JSON.stringify(property)}:${JSON.stringify(given)}}`);

  it("a repair brings what sources told", async () => {
    /** Undefined: removed. */
    const truth = new Map<string, Map<string, unknown>>();

    const isShown = (group: string) => posthog.groups.has(`company\0${group}`);

    async function carryOut(one: Action): Promise<void> {
      // A removal waits a quarter of an hour for a group that is not there.
      if (one.kind === "delete") await running.drained();
      if (one.kind === "tell") {
        if (one.value === null && !isShown(one.key)) return;
        const properties = truth.get(one.key) ?? new Map([["group_key", one.key]]);
        truth.set(one.key, properties);
        // What never had a value was never sent, and is nobody's of prickle.
        if (one.value !== null || properties.has(one.name)) properties.set(one.name, one.value ?? undefined);
        return tell(one.key, bag(one.name, one.value));
      }
      if (!isShown(one.key)) return;
      if (one.kind === "delete") posthog.changeGroup("company", one.key, null);
      else if (one.kind === "remove") posthog.removeProperty(0, one.key, one.name);
      else posthog.changeGroup("company", one.key, { ...bag(one.name, one.value) } as Record<string, unknown>);
    }

    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), fc.nat(12), async (actions, drainedAt) => {
        for (const [index, one] of actions.entries()) {
          if (index === drainedAt) await running.drained();
          await carryOut(one);
        }
        // What waits while it is compared wins, and is then broken by nothing.
        await verify({ repair: true }).catch(nothingToldYet);
        await running.drained();
        await verify({ repair: true }).catch(nothingToldYet);
        await running.drained();
        for (const [group, properties] of truth) {
          const shown = posthog.groups.get(`company\0${group}`) ?? {};
          for (const [property, expected] of properties) {
            const found = Object.hasOwn(shown, property) ? shown[property] : undefined;
            expect([group, property, found]).toEqual([group, property, expected]);
          }
        }
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});

/** Before the first group. */
function nothingToldYet(thrown: unknown): void {
  expect(thrown).toMatchObject({ code: "NOT_FOUND" });
}

it("says what cannot be verified, and why", async () => {
  await tellAll();
  await expect(verify({ destination: "nobody" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(verify({ groupType: "deal" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  posthog.api.scopesOf.set(KEY, ["group:write"]);
  const refused = await verify().catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: "CONFIG_INVALID", hint: expect.stringContaining("group:read") });
  expect(String(refused)).not.toContain(KEY);
});

it("needs a destination that keeps groups, and a key to ask PostHog with", async () => {
  const peer = { type: "posthog" as const, host: posthog.url, token: createSecret("phc_test") };
  const other = await startRunning({ destinations: { one: peer, two: peer, console: { type: "console" } } });
  onTestFinished(() => other.remove());
  const ask = (destination?: string) =>
    other.operations.verify({ destination, repair: false, examples: 5, settlingMs: 0 }, () => undefined, never);
  await expect(ask()).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("one, two") });
  await expect(ask("console")).rejects.toMatchObject({ code: "USAGE" });
  await expect(ask("two")).rejects.toMatchObject({ code: "CONFIG_INVALID", hint: expect.stringContaining("phx_") });
});

it("compares the engine too", async () => {
  await tellAll();
  const report = await verify({ destination: "engine" });
  expect(report).toMatchObject({ differences: 0 });
  expect(companyIn(report)).toMatchObject({ known: 7, shown: 7, same: 7 });
});

it("works over HTTP while it serves, and ends there when nobody listens any more", async () => {
  await tellAll();
  const { url, adminToken: token } = running;
  const remote = connectOperations({ url, token });
  const request = { repair: false, examples: 5, settlingMs: 0 };
  expect(await remote.verify(request, () => undefined, never)).toMatchObject({
    destination: "posthog",
    differences: 0,
  });
  posthog.api.failure = { kind: "status", status: 429, retryAfter: "3600" };
  const stop = new AbortController();
  const stopped = remote.verify(request, () => stop.abort(), stop.signal);
  expect(await stopped).toMatchObject({ unfinished: "it was stopped" });
});
