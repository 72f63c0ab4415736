/** What `prickle dead` and `prickle trace` say of what is not there, or not shown: through a server and without one. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { announceServer } from "../../src/cli/server-file.ts";
import { createSecret } from "../../src/config.ts";
import type { DeadLetter } from "../../src/core/dead-letter.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { PATIENCE, post, type Running, startRunning, WITH_KEY } from "../server/running.ts";

const LETTERS = 23;
const MISSING = 9_999;

let posthog: FakePosthog;
let running: Running;
let letters: readonly DeadLetter[];

beforeAll(async () => {
  posthog = await startFakePosthog();
  posthog.failWhen(() => ({ kind: "status", status: 413, body: "not today" }));
  const destination = { type: "posthog", host: posthog.url, claimGroupTypes: false } as const;
  running = await startRunning({ destinations: { posthog: { ...destination, token: createSecret("phc_test") } } });
  const batch = Array.from({ length: LETTERS }, (_, n) => ({ type: "track", event: "Seen", userId: `user-${n}` }));
  expect(await post(`${running.url}/v1/batch`, { batch }, WITH_KEY)).toMatchObject({ status: 200 });
  const died = async () => (await running.operations.countDeadLetters({})) === LETTERS;
  await vi.waitUntil(died, PATIENCE);
  letters = await running.operations.listDeadLetters({});
  vi.stubEnv("POSTHOG_TOKEN", "phc_test");
  const fields = `type: posthog, host: "${posthog.url}", token: "\${POSTHOG_TOKEN}", claimGroupTypes: false`;
  await writeFile(join(running.dataDir, "prickle.yaml"), `destinations: { posthog: { ${fields} } }`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await running.remove();
  await posthog.close();
});

async function prickle(...words: readonly string[]): Promise<string> {
  const { dataDir } = running;
  let out = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    const where = ["--config", join(dataDir, "prickle.yaml"), "--data-dir", dataDir];
    await createProgram().parseAsync([...where, ...words], { from: "user" });
    return out;
  } finally {
    write.mockRestore();
  }
}

function describeCommands(): void {
  it.each([["list"], ["export"], ["drop"], ["replay"]])("%s names the destinations there are", async (verb) => {
    await expect(prickle("dead", verb, "--destination", "typo")).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: 'There is no destination "typo"; there is posthog.',
    });
  });

  it.each([["drop"], ["replay"]])("%s says which letters are not there, and leaves the others alone", async (verb) => {
    const id = `${letters[0]?.id}`;
    await expect(prickle("dead", verb, `${MISSING}`)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `There is no dead letter ${MISSING}.`,
      hint: "`prickle dead list` has them.",
    });
    await expect(prickle("dead", verb, `${MISSING}`, id, `${MISSING + 1}`)).rejects.toMatchObject({
      message: `There is no dead letter ${MISSING}, ${MISSING + 1}.`,
      hint: expect.stringContaining("Nothing was done to the others."),
    });
    expect(JSON.parse(await prickle("dead", "list", "--json", "--limit", "1000"))).toEqual(letters);
  });

  it("replay with another text says of a missing letter no more than that", async () => {
    const file = join(running.dataDir, "letter.json");
    await writeFile(file, "{}");
    await expect(prickle("dead", "replay", `${MISSING}`, "--with", file)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: `There is no dead letter ${MISSING}.`,
      hint: "`prickle dead list` has them.",
    });
    await expect(prickle("dead", "replay", `${letters[0]?.id}`, "--with", file)).rejects.toMatchObject({
      code: "INPUT_INVALID",
      hint: expect.stringContaining("It stays a dead letter"),
    });
  });

  it("list says that there are more than it shows, and to programs nothing else than before", async () => {
    expect(await prickle("dead", "list")).toMatch(/\n\n20 of 23; --limit shows more\.\n$/);
    expect(await prickle("dead", "list", "--limit", "23")).not.toContain("shows more");
    expect(JSON.parse(await prickle("dead", "list", "--json"))).toEqual(letters.slice(0, 20));
    expect(await prickle("dead", "list", "--event", "Other")).toBe("There are no such dead letters.\n");
  });

  it.each(["", "x".repeat(10_001)])("trace wants an id that can be one", async (id) => {
    await expect(prickle("trace", id)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(/^An id has 1 to 10000 characters; found (none|10001)\.$/),
    });
  });
}

describe("through a server", () => {
  let announced: AsyncDisposable;
  beforeAll(async () => {
    announced = await announceServer(running.dataDir, { url: running.url, token: running.adminToken });
  });
  afterAll(() => announced[Symbol.asyncDispose]());
  describeCommands();
});

describe("without one", () => {
  beforeAll(() => running.stop());
  describeCommands();

  it("a destination that is fed no more still has its letters", async () => {
    const file = join(running.dataDir, "other.yaml");
    await writeFile(file, JSON.stringify({ destinations: { console: { type: "console" } } }));
    expect(await prickle("--config", file, "dead", "list", "--destination", "posthog")).toContain("20 of 23");
    expect(await prickle("--config", file, "dead", "drop", "--destination", "posthog", "--limit", "1")).toBe(
      "1 dead letter forgotten.\n",
    );
  });
});
