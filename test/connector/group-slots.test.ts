/** Group types of a running prickle: declared order wins, and what does not fit keeps it from starting. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { type ConfigInput, createSecret, parseConfig } from "../../src/config.ts";
import { openConnector } from "../../src/connector.ts";
import type { Logger } from "../../src/core/observer.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { post, startRunning, WITH_KEY, WRITE_KEY } from "../server/running.ts";

const KEY = "phx_reader";
const CLAIM = "prickle group types";

let posthog: FakePosthog;
let directory: string;

beforeEach(async () => {
  const [fake, made] = await Promise.all([startFakePosthog(), mkdtemp(join(tmpdir(), "prickle-slots-"))]);
  posthog = fake;
  directory = made;
  posthog.api.scopesOf.set(KEY, ["group:read"]);
  onTestFinished(async () => {
    await posthog.close();
    await rm(made, { recursive: true, force: true });
  });
});

interface Settings {
  /** By source; the first takes the calls. */
  readonly groupTypes?: Readonly<Record<string, readonly string[]>>;
  readonly posthog?: object;
}

const ASKS = { personalApiKey: createSecret(KEY), projectId: 7 };

async function configOf({ groupTypes = { main: ["company", "project"] }, ...more }: Settings): Promise<ConfigInput> {
  const rule = `{ name: group, when: 'type = "group"', groupIdentify: { groupType: { "@path": $.traits.type }, groupKey: { "@path": $.groupId } } }`;
  const sources: NonNullable<ConfigInput["sources"]> = {};
  for (const [index, [source, types]] of Object.entries(groupTypes).entries()) {
    const mapping = join(directory, `${source}.yaml`);
    await writeFile(mapping, `groupTypes: [${types.join(", ")}]\nrules: [${rule}]\n`);
    sources[source] = { type: "segment", mapping, writeKeys: [index === 0 ? WRITE_KEY : `wk_${source}`] };
  }
  const peer = { type: "posthog" as const, host: posthog.url, token: createSecret("phc_test"), ...more.posthog };
  return { sources, destinations: { posthog: peer, engine: { type: "engine" } } };
}

/** Each type in a request of its own, delivered before the next is sent. */
async function sendInTurn(settings: Settings, types: readonly string[]) {
  const running = await startRunning(await configOf(settings));
  onTestFinished(() => running.remove());
  for (const [index, type] of types.entries()) {
    const call = { type: "group", userId: "u1", groupId: `${type}-1`, messageId: `m${index}`, traits: { type } };
    expect((await post(`${running.url}/v1/batch`, { batch: [call] }, WITH_KEY)).status).toBe(200);
    await running.drained();
  }
  return running;
}

async function openWith(settings: Settings) {
  const warnings: object[] = [];
  const quiet = () => undefined;
  const warn = (fields: object) => void warnings.push(fields);
  const logger: Logger = { debug: quiet, info: quiet, warn, error: quiet };
  const config = parseConfig({ ...(await configOf(settings)), dataDir: join(directory, "data") }, { cwd: directory });
  const connector = await openConnector(config, { logger });
  await connector.close();
  return warnings;
}

it("have the declared order in PostHog and in the engine, although the second type arrives first", async () => {
  const running = await sendInTurn({}, ["project", "company"]);
  expect(posthog.groupTypes).toEqual(["company", "project"]);
  const inEngine = await running.operations.groupTypes();
  expect(inEngine.map(({ groupType }) => groupType)).toEqual(["company", "project"]);
  expect(posthog.events().map(({ event }) => event)).toEqual([CLAIM, "$groupidentify", "$groupidentify"]);
});

it("have the order of arrival in PostHog where the claim is switched off", async () => {
  await sendInTurn({ posthog: { claimGroupTypes: false } }, ["project", "company"]);
  expect(posthog.groupTypes).toEqual(["project", "company"]);
  expect(posthog.events().map(({ event }) => event)).not.toContain(CLAIM);
});

it("are not claimed where the project is known to have them all, and are where one is missing", async () => {
  for (const type of ["legacy", "project", "company"]) posthog.takeSlot(type);
  await sendInTurn({ posthog: ASKS }, ["company"]);
  expect(posthog.events().map(({ event }) => event)).toEqual(["$groupidentify"]);
  await sendInTurn({ groupTypes: { main: ["team", "company", "deal"] }, posthog: ASKS }, ["deal"]);
  expect(posthog.groupTypes).toEqual(["legacy", "project", "company", "team", "deal"]);
});

it("that are not declared are rejected with their names, and reach nobody", async () => {
  const running = await sendInTurn({}, ["galaxy", "company"]);
  const [rejection] = await running.operations.listRejections({ limit: 10 });
  expect(rejection).toMatchObject({ reason: "undeclared_group_type", detail: expect.stringContaining('"galaxy"') });
  expect(posthog.groupTypes).toEqual(["company", "project"]);
  expect(JSON.stringify([posthog.events(), posthog.requests])).not.toContain("galaxy");
  expect(JSON.stringify(await running.operations.groupTypes())).not.toContain("galaxy");
});

it("over all mappings that are a sixth or almost another's name keep it from starting", async () => {
  const sixth = openWith({ groupTypes: { main: ["a", "b", "c"], crm: ["c", "d", "e", "f"] } });
  await expect(sixth).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(/crm\.yaml:1:1 groupTypes: group type "f" of source crm.* 2 "c" \(main, crm\)/),
  });
  const alike = openWith({ groupTypes: { main: ["company"], crm: ["companies"] } });
  await expect(alike).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining('"company" (main)'),
  });
});

it("for which the project has no room, or a name almost alike, keep it from starting", async () => {
  for (const type of ["one", "two", "three", "four"]) posthog.takeSlot(type);
  await expect(openWith({ posthog: ASKS })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringMatching(
      /"project" of source main: one too many.* 3 "four" \(project\), 4 "company" \(main\)/,
    ),
  });
  await expect(openWith({ groupTypes: { main: ["threes"] }, posthog: ASKS })).rejects.toMatchObject({
    message: expect.stringContaining('from "three" (project)'),
  });
  expect(await openWith({ groupTypes: { main: ["four", "five"] }, posthog: ASKS })).toEqual([]);
});

it("of a project that cannot be read are a warning: a start does not depend on it", async () => {
  posthog.api.failure = { kind: "reset" };
  expect(await openWith({ posthog: ASKS })).toMatchObject([
    { destination: "posthog", reason: expect.stringContaining("was not reached") },
  ]);
  posthog.api.failure = null;
  const token = { personalApiKey: createSecret("phc_hidden"), projectId: 7 };
  const warnings = await openWith({ posthog: token });
  expect(warnings).toMatchObject([{ reason: expect.stringContaining("a project token (phc_…) stands where") }]);
  expect(JSON.stringify(warnings)).not.toContain("hidden");
});
