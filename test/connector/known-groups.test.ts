/** `@group`: what one source says of a group is known to the calls of another, at once and after a restart. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ConfigInput } from "../../src/config.ts";
import { post, startRunning, WITH_KEY, WRITE_KEY } from "../server/running.ts";

const MAPPING = `
groupTypes: [company]
rules:
  - name: group
    when: type = "group"
    groupIdentify: { groupType: company, groupKey: { "@path": $.groupId }, properties: { "@path": $.traits } }
  - name: track
    when: type = "track"
    event:
      name: { "@path": $.event }
      distinctId: { "@path": $.userId }
      properties:
        plan: { "@group": { type: company, where: { domain: { "@domain": { value: { "@path": $.userId } } } }, property: plan } }
      groups: { company: { "@group": { type: company, where: { domain: { "@domain": { value: { "@path": $.userId } } } } } } }
`;

const ada = "ada@acme.com";
const track = (event: string, messageId: string) => ({ type: "track", event, userId: ada, messageId });

it("finds the group of a call by what was said of it before, in the same batch, later, and after a restart", async () => {
  const first = await startRunning();
  onTestFinished(() => first.remove());
  const mapping = join(first.dataDir, "own.yaml");
  await writeFile(mapping, MAPPING);
  await first.stop();
  const config: ConfigInput = { sources: { main: { type: "segment", mapping, writeKeys: [WRITE_KEY] } } };
  const open = () => startRunning(config, { dataDir: first.dataDir });

  let running = await open();
  const send = async (...batch: object[]) => {
    expect((await post(`${running.url}/v1/batch`, { batch }, WITH_KEY)).status).toBe(200);
    await running.drained();
  };
  const companiesOf = async (event: string) => {
    const query = { groupType: "company", event, interval: "month", from: null, to: null, breakdown: "plan" } as const;
    const { series } = await running.operations.trends(query);
    return series.map(({ breakdownValue, total }) => [breakdownValue, total]);
  };
  const group = (plan: string, messageId: string) =>
    ({ type: "group", groupId: "acme", userId: ada, messageId, traits: { domain: "acme.com", plan } }) as const;

  await send(track("Too Early", "1"), group("free", "2"), track("Same Batch", "3"));
  await send(track("Later", "4"), group("pro", "5"));
  expect(await companiesOf("Too Early")).toEqual([]);
  expect(await companiesOf("Same Batch")).toEqual([["free", 1]]);
  expect(await companiesOf("Later")).toEqual([["free", 1]]);
  await running.stop();

  running = await open();
  await send(track("After", "6"));
  expect(await companiesOf("After")).toEqual([["pro", 1]]);
  await running.stop();
});
