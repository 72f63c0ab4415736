/** `prickle check` on group types: the slots and who uses them, with what a PostHog project has already. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createWorkplace, MANY_PROCESSES, type Workplace } from "./prickle-process.ts";

const KEY = "phx_reader";
const reference = (name: string) => `$\{${name}}`;

async function openWorkplace(personalApiKey: string): Promise<{ posthog: FakePosthog; workplace: Workplace }> {
  const posthog = await startFakePosthog();
  posthog.api.scopesOf.set(KEY, ["group:read"]);
  const asks = { personalApiKey: reference("PERSONAL"), projectId: reference("PROJECT") };
  const workplace = await createWorkplace(
    {
      sources: {
        app: { type: "segment", mapping: "segment", writeKeys: ["a"] },
        own: { type: "segment", mapping: "./own.yaml", writeKeys: ["b"] },
      },
      destinations: { posthog: { type: "posthog", host: posthog.url, token: reference("TOKEN"), ...asks } },
    },
    { env: { TOKEN: "phc_test", PERSONAL: personalApiKey, PROJECT: "7" } },
  );
  const rule = `{ name: all, groupIdentify: { groupType: { "@path": $.traits.type }, groupKey: { "@path": $.groupId } } }`;
  const groupTypes = "groupTypes:\n  - company\n  - project\n  - deal\n";
  await writeFile(join(workplace.directory, "own.yaml"), `${groupTypes}rules: [${rule}]\n`);
  onTestFinished(async () => {
    await workplace.remove();
    await posthog.close();
  });
  return { posthog, workplace };
}

interface CheckAnswer {
  readonly problems: readonly { readonly severity: string; readonly path: string; readonly found: string }[];
  readonly found: { readonly slots: readonly object[] } | null;
}

it("shows each slot with who uses it, for people and for programs", MANY_PROCESSES, async () => {
  const { posthog, workplace } = await openWorkplace(KEY);
  posthog.takeSlot("legacy");
  posthog.takeSlot("project");
  const { problems, found } = await workplace.ask<CheckAnswer>("check");
  expect(problems).toEqual([]);
  expect(found?.slots).toEqual([
    { destination: "posthog", index: 0, groupType: "legacy", usedBy: ["project"] },
    { destination: "posthog", index: 1, groupType: "project", usedBy: ["project", "app", "own"] },
    { destination: "posthog", index: 2, groupType: "company", usedBy: ["app", "own"] },
    { destination: "posthog", index: 3, groupType: "deal", usedBy: ["own"] },
  ]);
  const { stdout } = await workplace.run("check").ended;
  expect(stdout).toMatch(/index {2}group type {2}used by +in the project of\n/);
  expect(stdout).toMatch(/ 1 {2}project +project, app, own +posthog\n/);
});

it("refuses a sixth, counting those of the project, and says where it is written", MANY_PROCESSES, async () => {
  const { posthog, workplace } = await openWorkplace(KEY);
  for (const type of ["one", "two", "three"]) posthog.takeSlot(type);
  const { code, stdout } = await workplace.run("check").ended;
  expect(code).toBe(78);
  expect(stdout).toContain('own.yaml:4:1 groupTypes: group type "deal" of source own: one too many, PostHog takes 5');
  expect(stdout).toContain('0 "one" (project), 1 "two" (project), 2 "three" (project), 3 "company" (app, own)');
});

it("warns where the project does not let itself be read, and shows what is declared", MANY_PROCESSES, async () => {
  const { workplace } = await openWorkplace("phc_hidden");
  const { problems, found } = await workplace.ask<CheckAnswer>("check");
  expect(problems).toMatchObject([
    {
      severity: "warning",
      path: "destinations.posthog.personalApiKey",
      found: expect.stringContaining("project token"),
    },
  ]);
  expect(JSON.stringify(problems)).not.toContain("hidden");
  expect(found?.slots).toMatchObject([
    { destination: null, index: 0, groupType: "company", usedBy: ["app", "own"] },
    { index: 1, groupType: "project" },
    { index: 2, groupType: "deal" },
  ]);
});

it("asks PostHog when it starts to deliver, not for commands that only look", MANY_PROCESSES, async () => {
  const { posthog, workplace } = await openWorkplace(KEY);
  const served = await workplace.serve();
  expect(await served.stop()).toBe(0);
  expect(posthog.api.requests).toHaveLength(1);
  await workplace.ask("status");
  expect(posthog.api.requests).toHaveLength(1);
});
