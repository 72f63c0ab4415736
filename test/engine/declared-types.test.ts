/** Group types in the engine: those declared have their index before anything arrives. */

import { expect, it } from "vitest";
import type { Engine } from "../../src/engine/open.ts";
import { appendMessages, eventMessage, identifyMessage } from "./messages.ts";
import { openTemporary, temporaryFile } from "./temporary.ts";

async function typesOf(engine: Engine) {
  return (await engine.groupTypes()).map(({ groupType, index, groups }) => [index, groupType, groups]);
}

async function reopened(path: string, groupTypes: readonly string[], engine: Engine): Promise<Engine> {
  await engine.close();
  return openTemporary({ path, groupTypes });
}

it("fill in the order declared, whatever arrives first, and what is not declared comes behind them", async () => {
  const engine = await openTemporary({ groupTypes: ["company", "project"] });
  await appendMessages(engine, [
    eventMessage({ seed: 1, groups: { region: "eu" } }),
    identifyMessage({ seed: 2, groupType: "project", groupKey: "p1", set: { name: "One" } }),
  ]);
  expect(await typesOf(engine)).toEqual([
    [0, "company", 0],
    [1, "project", 1],
    [2, "region", 0],
  ]);
});

it("can be asked about before anything arrives: there are none of them", async () => {
  const engine = await openTemporary({ groupTypes: ["company", "project"] });
  expect(await typesOf(engine)).toEqual([
    [0, "company", 0],
    [1, "project", 0],
  ]);
  expect(await engine.groups({ groupType: "project", limit: 10, offset: 0 })).toMatchObject({ total: 0, groups: [] });
  const query = { groupType: "company", event: null, interval: "week", from: null, to: null, breakdown: null } as const;
  expect((await engine.trends(query)).series.flatMap(({ points }) => points)).toEqual([]);
});

it("keep the index they are stored with, and their groups, when they are declared otherwise", async () => {
  const path = temporaryFile();
  const first = await openTemporary({ path, groupTypes: ["company", "project"] });
  await appendMessages(first, [
    identifyMessage({ seed: 1, groupType: "project", groupKey: "p1", set: { name: "One" } }),
  ]);
  const second = await reopened(path, ["team", "project", "company"], first);
  await appendMessages(second, [identifyMessage({ seed: 2, groupType: "team", groupKey: "t1", set: { name: "Two" } })]);
  const third = await reopened(path, [], second);
  expect(await typesOf(third)).toEqual([
    [0, "company", 0],
    [1, "project", 1],
    [2, "team", 1],
  ]);
});

it("that no message has named can be declared in another order the next time", async () => {
  const path = temporaryFile();
  const first = await openTemporary({ path, groupTypes: ["typo", "company"] });
  await appendMessages(first, [eventMessage({ seed: 1 })]);
  const second = await reopened(path, ["company", "project"], first);
  await appendMessages(second, [eventMessage({ seed: 2, groups: { company: "acme" } })]);
  const third = await reopened(path, ["company", "team"], second);
  expect(await typesOf(third)).toEqual([
    [0, "company", 0],
    [1, "team", 0],
  ]);
});

it("leave no room for a sixth that arrives", async () => {
  const engine = await openTemporary({ groupTypes: ["a", "b", "c", "d", "e"] });
  expect(await appendMessages(engine, [eventMessage({ seed: 1, groups: { f: "x" } })])).toMatchObject([
    { kind: "dead", reason: expect.stringContaining('group type "f"') },
  ]);
  expect(await typesOf(engine)).toHaveLength(5);
});

it("that do not fit beside those stored are refused, and the file can be opened with others", async () => {
  const path = temporaryFile();
  const first = await openTemporary({ path });
  await appendMessages(first, [eventMessage({ seed: 1, groups: { a: "1", b: "1", c: "1", d: "1" } })]);
  await expect(reopened(path, ["e", "f"], first)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining('group type "f": there are 5 at most; already there: "a", "b", "c", "d"'),
  });
  expect(await typesOf(await openTemporary({ path, groupTypes: ["e"] }))).toHaveLength(5);
});
