import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSecret } from "../../src/config/secret.ts";
import { type ConfigInput, type PullSourceConfig, parseConfig } from "../../src/config.ts";
import { createHubspotOpener } from "../../src/connector/hubspot-source.ts";
import { rowDigest } from "../../src/connector/row-sources.ts";
import type { RowSource } from "../../src/core/row-source.ts";
import { createPassingClock } from "../fakes/clock.ts";
import { type FakeHubspot, startFakeHubspot } from "../fakes/hubspot/server.ts";
import { CLIENT } from "../fakes/hubspot/tokens.ts";
import { defineProperties, never, readAll } from "../sources/hubspot/rig.ts";

type Settings = Partial<Extract<NonNullable<ConfigInput["sources"]>[string], { type: "hubspot" }>>;

describe("a HubSpot source of the configuration", () => {
  const clock = createPassingClock();
  let hubspot: FakeHubspot;
  let directory: string;
  let opened: RowSource[];
  beforeEach(async () => {
    hubspot = await startFakeHubspot({ now: clock.now, pass: clock.pass });
    defineProperties(hubspot);
    directory = await mkdtemp(join(tmpdir(), "prickle-hubspot-"));
    opened = [];
  });
  afterEach(async () => {
    for (const rows of opened) await rows.close();
    await hubspot[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const createOpener = () => createHubspotOpener({ clock, random: () => 0.5, dataDir: directory });
  const KEY = { accessToken: createSecret("pat-eu1-key") };

  function configOf(settings: Settings): PullSourceConfig {
    const source = { type: "hubspot" as const, apiHost: hubspot.url, ...settings };
    const [config] = parseConfig({ sources: { crm: source } }, { cwd: directory }).sources;
    return config as PullSourceConfig; // A HubSpot source is asked.
  }

  function open(settings: Settings, opener = createOpener()): RowSource {
    const pulled = configOf(settings);
    if (pulled.settings.type !== "hubspot") throw new RangeError("another source");
    const rows = opener(pulled, pulled.settings);
    opened.push(rows);
    return rows;
  }

  it("may lack what the shipped mapping reads: that is a warning, but not what nobody named", async () => {
    hubspot.store.properties.delete("external_id");
    expect((await open(KEY).begin(never, null)).warnings).toEqual([
      'HubSpot has no company property "external_id", which the mapping reads.',
    ]);
  });

  it("may not lack what one's own mapping, or the settings, name", async () => {
    const rule = '- { name: company, groupIdentify: { groupKey: { "@path": $.properties.acount_id } } }';
    await writeFile(join(directory, "own.yaml"), `extends: hubspot\nrules:\n  ${rule}\n`);
    await expect(open({ ...KEY, mapping: "./own.yaml" }).begin(never, null)).rejects.toMatchObject({
      code: "SOURCE_CHANGED",
      message: expect.stringContaining('"acount_id"'),
    });
    await expect(open({ ...KEY, properties: ["seat"] }).begin(never, null)).rejects.toMatchObject({
      message: 'HubSpot has no company property "seat" (is "seats" meant?).',
    });
  });

  it("asks for its people, with what the mapping reads of them and their company", async () => {
    const company = hubspot.store.create({ name: "Acme", external_id: "acme" });
    hubspot.store.contacts.set("501", { email: "ada@acme.com" });
    hubspot.store.associations.set(company, new Set(["501"]));
    const rows = open({ ...KEY, contacts: {} });
    await rows.begin(never, null);
    expect((await readAll(rows)).map(({ payload }) => payload)).toMatchObject([
      {
        company: { properties: { external_id: "acme" } },
        contact: { properties: { email: "ada@acme.com" } },
      },
      { properties: { name: "Acme" } },
    ]);
  });

  it("shares the limits of its account with others that have the same key", async () => {
    Object.assign(hubspot.settings, { daily: 30, latencyMs: 1 });
    for (let count = 0; count < 3000; count++) hubspot.store.create({ name: "Acme" });
    const opener = createOpener();
    const [one, other] = [open(KEY, opener), open(KEY, opener)];
    await other.begin(never, null);
    await one.begin(never, null);
    await expect(readAll(one)).rejects.toMatchObject({ code: "SOURCE_LIMITED" });
    const asked = hubspot.requests.length;
    await expect(readAll(other)).rejects.toMatchObject({ code: "SOURCE_LIMITED" });
    expect(hubspot.requests).toHaveLength(asked);
  });

  it("reads all by an export where it says so, and keeps its file in the data directory, for its owner only", async () => {
    hubspot.store.create({ name: "Acme" });
    const rows = open({ ...KEY, fullBy: "export" });
    await rows.begin(never, null);
    const names: unknown[] = [];
    for await (const page of rows.all(null, never)) {
      if (page.rows.length === 0) continue;
      names.push(...page.rows.map(({ payload }) => Object(payload.properties).name));
      const [file = ""] = await readdir(join(directory, "export-crm"));
      expect((await stat(join(directory, "export-crm"))).mode & 0o777).toBe(0o700);
      expect((await stat(join(directory, "export-crm", file))).mode & 0o777).toBe(0o600);
    }
    expect(names).toEqual(["Acme"]);
    expect(hubspot.exports.tasks).toHaveLength(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it("does not read all rows anew because they come another way, but where they say something else", () => {
    const digest = (settings: Settings) => rowDigest(configOf({ ...KEY, ...settings }));
    expect(digest({ fullBy: "export" })).toBe(digest({}));
    expect(digest({ labels: true })).not.toBe(digest({}));
  });

  it("of an OAuth app keeps the refresh token that replaced the configured one, for its owner only", async () => {
    Object.assign(hubspot.tokens.settings, { serviceKey: null, refreshToken: "refresh-1", rotates: true });
    const { id: clientId, secret } = CLIENT;
    const oauth = { clientId, clientSecret: createSecret(secret), refreshToken: createSecret("refresh-1") };
    await open({ oauth }).begin(never, null);
    const [file = ""] = await readdir(directory);
    expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
    // As after a restart: the configured token is worth nothing any more.
    await expect(open({ oauth }).begin(never, null)).resolves.toMatchObject({ warnings: [] });
    expect(hubspot.tokens.given).toHaveLength(2);
  });

  it("needs either a key or an app", () => {
    const oauth = { clientId: "c", clientSecret: createSecret("s"), refreshToken: createSecret("r") };
    expect(() => open({})).toThrow("neither accessToken nor oauth");
    expect(() => open({ ...KEY, oauth })).toThrow("both accessToken and oauth");
  });
});
