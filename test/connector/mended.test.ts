/** What senders get wrong and prickle puts right, from the call to the groups PostHog has by it. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { createSecret } from "../../src/config.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { post, type Running, startRunning, WITH_KEY, WRITE_KEY } from "../server/running.ts";

const MAPPING = `
groupTypes: [company, project, team, region]
rules:
  - name: track
    when: type = "track"
    event:
      name: { "@path": $.event }
      distinctId: { "@path": $.userId }
      properties: { "@path": $.properties }
      groups:
        company: { "@path": $.context.company }
        project: { "@path": $.context.project }
        team: { "@path": $.context.team }
        region: { "@path": $.context.region }
`;

let posthog: FakePosthog;
let running: Running;

beforeEach(async () => {
  const [fake, directory] = await Promise.all([startFakePosthog(), mkdtemp(join(tmpdir(), "prickle-mended-"))]);
  posthog = fake;
  const mapping = join(directory, "mapping.yaml");
  await writeFile(mapping, MAPPING);
  running = await startRunning({
    sources: { main: { type: "segment", mapping, writeKeys: [WRITE_KEY] } },
    // The types come with the calls, so that each tells whether its event was done anything with.
    destinations: {
      posthog: {
        type: "posthog",
        host: posthog.url,
        token: createSecret("phc_test"),
        protocol: "v1",
        claimGroupTypes: false,
      },
    },
  });
  onTestFinished(async () => {
    await running.remove();
    await posthog.close();
    await rm(directory, { recursive: true, force: true });
  });
});

async function tell(...calls: readonly object[]): Promise<void> {
  const batch = calls.map((call) => ({ type: "track", event: "Seen", userId: "ann", properties: {}, ...call }));
  expect(await post(`${running.url}/v1/batch`, { batch }, WITH_KEY)).toMatchObject({ status: 200 });
  await running.drained();
}

it("applies the groups of an event that asks for no person, however protocol v1 lets it say so", async () => {
  const said = Object.entries({ company: false, project: "false", team: " 0", region: 0 });
  await tell(
    ...said.map(([groupType, asked]) => ({
      properties: { $process_person_profile: asked },
      context: { [groupType]: "acme" },
    })),
  );
  expect([...posthog.groupTypes].toSorted()).toEqual(["company", "project", "region", "team"]);
  expect(posthog.events().map(({ properties }) => properties.$process_person_profile)).toEqual(
    Array(4).fill(undefined),
  );
});

it("counts what it puts right by source and reason, and nothing of what was right", async () => {
  const mended = async (reason: string) => running.metric(`prickle_mended_total{source="main",reason="${reason}"}`);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  const groups = { context: { company: "acme" } };
  const personless = { properties: { $process_person_profile: false } };
  await tell({ ...personless }, { ...groups }, { timestamp: new Date(0).toISOString() });
  expect(await (await fetch(`${running.url}/metrics`)).text()).not.toContain("prickle_mended_total{");
  await tell({ ...personless, ...groups }, { userId: "é".repeat(101) }, { timestamp: tomorrow });
  await tell({ ...personless, ...groups, timestamp: tomorrow }, { userId: "null", timestamp: tomorrow });
  expect(await mended("personless")).toBe(2);
  expect(await mended("long_distinct_id")).toBe(1);
  // One of the three is refused, and no message.
  expect(await mended("future_timestamp")).toBe(2);
});
