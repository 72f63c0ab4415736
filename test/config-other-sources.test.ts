import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkConfig, loadConfig, type PullSourceConfig } from "../src/config.ts";
import { createRowSourceOpener } from "../src/connector/row-sources.ts";
import { collect } from "./contracts/row-source.ts";
import { ACCESS_TOKEN } from "./fakes/attio.ts";
import { API_TOKEN } from "./fakes/pipedrive.ts";
import { startAttio } from "./sources/attio/rig.ts";
import { startPipedrive } from "./sources/pipedrive/rig.ts";
import { idOf, JWT, startSalesforce } from "./sources/salesforce/rig.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "prickle-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const never = new AbortController().signal;
const KEY = JWT.privateKey.replaceAll("\n", "\\n");
const env = { SECRET: "geheim", KEY, ATTIO: ACCESS_TOKEN, PIPEDRIVE: API_TOKEN, DATABASE: "postgres://reader@db/shop" };

function write(source: string): void {
  writeFileSync(join(cwd, "prickle.yaml"), `sources:\n  crm: ${source}\n`);
  writeFileSync(
    join(cwd, "accounts.yaml"),
    "groupTypes: [company]\nrules: [{name: a, reject: {reason: no_rule, detail: x}}]",
  );
}

function load(source: string): PullSourceConfig {
  write(source);
  const [crm] = loadConfig({ cwd, env }).sources;
  if (crm?.type !== "pull") throw new Error("it is asked");
  return crm;
}

function problems(source: string) {
  write(source);
  return checkConfig({ cwd, env }).problems.map(({ path, found, allowed }) => ({ path, found, allowed }));
}

async function rowsOf(source: string, clock: { now(): number; sleep(ms: number): Promise<void> }) {
  const rows = await createRowSourceOpener({ clock, random: () => 0, dataDir: cwd })(load(source));
  try {
    await rows.begin(never, null);
    return (await collect(rows.all(null, never))).flatMap((page) => page.rows);
  } finally {
    await rows.close();
  }
}

it("opens a Salesforce source with either of its credentials; a key may come with its line ends written out", async () => {
  const { fake, clock, close } = await startSalesforce();
  try {
    for (const name of ["Type", "Industry", "BillingCountry", "ParentId", "OwnerId"]) fake.fields.set(name, "string");
    fake.put(idOf(1), { Name: "Acme" });
    const url = `type: salesforce, url: "${fake.url}", clientId: 3MVG9`;
    const secret = await rowsOf(`{${url}, clientSecret: "\${SECRET}"}`, clock);
    const jwt = await rowsOf(`{${url}, jwt: {username: sync@acme.example, privateKey: "\${KEY}"}}`, clock);
    expect(secret).toMatchObject([{ id: idOf(1), payload: { Name: "Acme" } }]);
    expect(jwt).toEqual(secret);
  } finally {
    await close();
  }
});

it("opens a Pipedrive source and an Attio source", async () => {
  const [pipedrive, attio] = [await startPipedrive(), await startAttio()];
  try {
    pipedrive.fake.put(1, { name: "Acme" });
    attio.fake.put(1, { name: "Acme" });
    const own = `{type: pipedrive, url: "${pipedrive.fake.url}", apiToken: "\${PIPEDRIVE}"}`;
    expect(await rowsOf(own, pipedrive.clock)).toMatchObject([{ payload: { name: "Acme" } }]);
    const other = `{type: attio, url: "${attio.fake.url}", accessToken: "\${ATTIO}"}`;
    expect(await rowsOf(other, attio.clock)).toMatchObject([{ payload: { values: { name: "Acme" } } }]);
  } finally {
    await pipedrive.close();
    await attio.close();
  }
});

it("takes a query with its columns, shows no URL, and asks for a mapping", () => {
  const { settings } = load(`
    type: sql
    mapping: ./accounts.yaml
    url: \${DATABASE}
    query: SELECT * FROM accounts
    idColumn: id
    overlap: 1h`);
  expect(settings).toMatchObject({ type: "sql", updatedAtColumn: null, overlap: 3_600_000, statementTimeout: 120_000 });
  expect(JSON.stringify(settings)).not.toContain("postgres://");
  expect(problems('{type: sql, url: "${DATABASE}", query: TABLE a, idColumn: id}')).toMatchObject([
    { path: "sources.crm.mapping" },
  ]);
});

it("asks for one way to say who asks, and no more", () => {
  const url = 'type: salesforce, url: "https://acme.my.salesforce.com", clientId: a';
  const jwt = 'jwt: {username: u, privateKey: "${KEY}"}';
  expect(problems(`{${url}}`)).toMatchObject([{ found: "neither clientSecret nor jwt" }]);
  expect(problems(`{${url}, clientSecret: "\${SECRET}", ${jwt}}`)).toMatchObject([
    { found: "both clientSecret and jwt" },
  ]);
  expect(problems(`{${url}, ${jwt}}`)).toEqual([]);
  expect(problems("{type: pipedrive}")).toMatchObject([{ found: "neither apiToken nor accessToken" }]);
});

it("takes no field or object that could be more than a name", () => {
  const source = 'type: salesforce, url: "https://acme.my.salesforce.com", clientId: a, clientSecret: "${SECRET}"';
  expect(problems(`{${source}, fields: ["Name FROM User --"]}`)).toMatchObject([{ path: "sources.crm.fields[0]" }]);
  expect(problems(`{${source}, object: "Account WHERE"}`)).toMatchObject([{ path: "sources.crm.object" }]);
});
