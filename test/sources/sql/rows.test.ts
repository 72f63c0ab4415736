import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compileMapping } from "../../../src/core/mapping/compile.ts";
import { collect } from "../../contracts/row-source.ts";
import { createPassingClock } from "../../fakes/clock.ts";
import { openRowRig } from "../row-rig.ts";
import { DATABASES, type TestDatabase } from "./database.ts";
import { prepareAccounts, type SqlRig } from "./rig.ts";

const never = new AbortController().signal;
const MINUTE_MS = 60_000;

const MAPPING = compileMapping({
  name: "accounts",
  file: "accounts.yaml",
  text: `
    groupTypes: [company]
    rules:
      - name: deleted
        when: typeof(removed) = "object"
        groupIdentify:
          groupType: company
          groupKey: { "@path": $.id }
          properties: { deleted: true }
      - name: account
        groupIdentify:
          groupType: company
          groupKey: { "@path": $.id }
          properties: { name: { "@path": $.name }, deleted: false }
  `,
});

describe.each(DATABASES)("%s", (_, openDatabase) => {
  let database: TestDatabase;
  let accounts: SqlRig;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    accounts = await prepareAccounts(database);
  });
  afterEach(() => accounts.close());

  it("keeps groups true through edits, late commits, marks and deletions, and sends nothing twice", async () => {
    const clock = createPassingClock();
    const rig = await openRowRig(MAPPING, clock);
    const complete = async (options: Parameters<typeof rig.sync>[1] = {}) => {
      const { run, failure } = await rig.sync(accounts.open(), options);
      expect(failure).toBeNull();
      clock.pass(MINUTE_MS);
      return run;
    };
    try {
      for (let id = 1; id <= 10; id++) await accounts.put(id, `Company ${id}`);
      expect(await complete()).toMatchObject({ kind: "full", read: 10, changed: 10 });
      await accounts.advance(60 * MINUTE_MS);
      expect(await complete()).toMatchObject({ kind: "changes", changed: 0 });
      await accounts.advance(-5 * MINUTE_MS);
      await accounts.put(3, "Late");
      await accounts.advance(10 * MINUTE_MS);
      await accounts.put(4, "Company 4", { deleted: true });
      expect(await complete()).toMatchObject({ changed: 1, removed: 1 });
      await accounts.remove(5);
      await accounts.advance(MINUTE_MS);
      expect(await complete({ isFull: true })).toMatchObject({ changed: 0, removed: 1 });
      await accounts.advance(MINUTE_MS);
      await accounts.put(4, "Back");
      await complete();
      const groups = await rig.groups();
      expect(groups.get("3")).toMatchObject({ name: "Late", deleted: false });
      expect(groups.get("4")).toMatchObject({ name: "Back", deleted: false });
      expect(groups.get("5")).toMatchObject({ name: "Company 5", deleted: true });
      expect(await rig.delivered()).toBe(14);
    } finally {
      await rig.close();
    }
  });

  it("gives numbers that JSON cannot hold as text, times in UTC, and JSON as it is", async () => {
    const query = `SELECT 'a' AS id, 9007199254740993::bigint AS large, 42::bigint AS small, 1.10::numeric AS exact,
      0.1::float8 AS float, 12345678901234567890.123::numeric AS precise, true AS yes, NULL::text AS nothing,
      '2026-03-01 12:00:00.123456+02'::timestamptz AS zoned, '2026-03-01 12:00:00'::timestamp AS plain,
      '2026-03-01'::date AS day, 'infinity'::timestamptz AS forever, '{"n": 9007199254740993, "l": [1, 2.50]}'::jsonb AS doc,
      ARRAY[1, 2] AS list, 'x''); DROP TABLE accounts; --' AS text`;
    const rows = accounts.open({ query, updatedAtColumn: "zoned", deletedColumn: null });
    await rows.begin(never, null);
    const [page] = await collect(rows.all(null, never));
    expect(page?.rows).toEqual([
      {
        id: "a",
        updatedAt: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
        payload: {
          id: "a",
          large: "9007199254740993",
          small: 42,
          exact: 1.1,
          float: 0.1,
          precise: "12345678901234567890.123",
          yes: true,
          nothing: null,
          zoned: "2026-03-01T10:00:00.123Z",
          plain: "2026-03-01T12:00:00.000Z",
          day: "2026-03-01",
          forever: "infinity",
          doc: { n: "9007199254740993", l: [1, 2.5] },
          list: [1, 2],
          text: "x'); DROP TABLE accounts; --",
        },
      },
    ]);
  });

  it("misses no row of one microsecond, and none whose id is a text", async () => {
    await database.run("DROP TABLE IF EXISTS fake.named");
    await database.run("CREATE TABLE fake.named (id text PRIMARY KEY, at timestamptz)");
    const ids = ["Ä", "a", "B", "b'", 'c"', "ß", "z", "10", "9", " "];
    for (const [index, id] of ids.entries()) {
      const at = `2026-11-01 00:00:00.00000${index % 3}+00`;
      await database.run("INSERT INTO fake.named VALUES ($1::text, $2::text::timestamptz)", [id, at]);
    }
    const rows = accounts.open({ query: "TABLE named", updatedAtColumn: "at", deletedColumn: null });
    await rows.begin(never, null);
    const day = { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 1) };
    for (const pages of [rows.all(null, never), rows.changed?.(day, null, never) ?? rows.all(null, never)]) {
      const found = (await collect(pages)).flatMap((page) => page.rows.map(({ id }) => id));
      expect(found.toSorted()).toEqual(ids.toSorted());
    }
  });

  it("names the place in the query that is wrong, and a column that is near", async () => {
    const begin = (options: Parameters<SqlRig["open"]>[0]) => accounts.open(options).begin(never, null);
    await expect(begin({ query: "SELECT id,\n  nmae\nFROM accounts" })).rejects.toMatchObject({
      code: "SOURCE_CHANGED",
      message: expect.stringContaining("at line 2, column 3"),
    });
    await expect(begin({ query: "SELEC 1" })).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    await expect(begin({ query: "TABLE missing" })).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    await expect(begin({ idColumn: "ID" })).rejects.toThrow('Did you mean "id"?');
    await expect(begin({ updatedAtColumn: "name" })).rejects.toThrow("no timestamp");
    await expect(begin({ deletedColumn: "name" })).rejects.toThrow("neither boolean nor a timestamp");
    await expect(begin({ query: "SELECT 1 AS id, 2 AS id" })).rejects.toThrow('two columns named "id"');
    await expect(begin({ url: "postgres://user:geheim@127.0.0.1:1/x" })).rejects.toMatchObject({
      code: "SOURCE_UNAVAILABLE",
      message: expect.not.stringContaining("geheim"),
    });
  }, 30_000);

  it("cannot write", async () => {
    await database.run(`CREATE OR REPLACE FUNCTION fake.writing() RETURNS SETOF fake.accounts LANGUAGE sql AS
      'DELETE FROM fake.accounts RETURNING *'`);
    await accounts.put(1, "stays");
    const rows = accounts.open({ query: "SELECT * FROM writing()" });
    await rows.begin(never, null);
    await expect(collect(rows.all(null, never))).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    const others = accounts.open();
    await others.begin(never, null);
    expect(await collect(others.all(null, never))).toHaveLength(1);
  });

  it("reads all again, with a warning, when the query gives other columns", async () => {
    await accounts.put(1, "one");
    const { remembers } = await accounts.open().begin(never, null);
    await database.run("ALTER TABLE fake.accounts ALTER COLUMN name TYPE varchar(90)");
    const again = await accounts.open().begin(never, remembers ?? null);
    expect(again).toMatchObject({ saysOtherwise: true, warnings: [expect.stringContaining("other columns")] });
  });
});

describe.skipIf(!process.env.PRICKLE_TEST_POSTGRES)("a PostgreSQL server (PRICKLE_TEST_POSTGRES names one)", () => {
  it("is not waited for beyond the time a statement may take, and not at all when it is told to stop", async () => {
    const open = DATABASES.at(-1)?.[1];
    const database = await open?.();
    if (!database) return;
    const accounts = await prepareAccounts(database);
    try {
      await accounts.put(1, "one");
      const query = "SELECT a.*, pg_sleep(30) FROM accounts AS a";
      const slow = accounts.open({ query, statementTimeoutMs: 50 });
      await slow.begin(never, null);
      await expect(collect(slow.all(null, never))).rejects.toMatchObject({
        code: "SOURCE_UNAVAILABLE",
        hint: expect.stringContaining("statementTimeout"),
      });
      const stopped = accounts.open({ query, statementTimeoutMs: 60_000 });
      await stopped.begin(never, null);
      const stop = new AbortController();
      const pages = collect(stopped.all(null, stop.signal));
      setImmediate(() => stop.abort());
      expect(await pages).toEqual([]);
    } finally {
      await accounts.close();
      await database.close();
    }
  });
});
