/** PostgreSQL for tests: in this process, and the server that PRICKLE_TEST_POSTGRES names, if it does. Its clock is a table's. */

import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import pg from "pg";

export interface TestDatabase {
  /** For the source. */
  readonly url: string;
  run(statement: string, values?: readonly unknown[]): Promise<void>;
  setClock(ms: number): Promise<void>;
  close(): Promise<void>;
}

const PATH = "fake,pg_catalog,public";
const SCHEMA = `
  CREATE SCHEMA fake;
  CREATE TABLE fake.clock (at timestamptz);
  INSERT INTO fake.clock VALUES (now());
  CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM fake.clock';
`;

export const DATABASES: readonly (readonly [name: string, open: () => Promise<TestDatabase>])[] = [
  ["PostgreSQL in this process", openInProcess],
  ...(process.env.PRICKLE_TEST_POSTGRES ? ([["a PostgreSQL server", openServer]] as const) : []),
];

async function openInProcess(): Promise<TestDatabase> {
  const database = await PGlite.create();
  const server = new PGLiteSocketServer({ db: database, host: "127.0.0.1", port: 0, maxConnections: 20 });
  await server.start();
  const port = Number(server.getServerConn().split(":").at(-1));
  await database.exec(`${SCHEMA} SET search_path = ${PATH}`);
  const run = async (statement: string, values: readonly unknown[] = []) => {
    if (values.length === 0) await database.exec(statement);
    else await database.query(statement, [...values]);
  };
  return {
    url: `postgres://postgres:secret@127.0.0.1:${port}/postgres`,
    run,
    setClock: (ms) => run("UPDATE fake.clock SET at = $1::text::timestamptz", [new Date(ms).toISOString()]),
    async close() {
      await server.stop();
      await database.close();
    },
  };
}

/** A database of its own: tests of other files use the server at the same time. */
async function openServer(): Promise<TestDatabase> {
  const url = new URL(process.env.PRICKLE_TEST_POSTGRES ?? "");
  const name = `prickle_${randomUUID().replaceAll("-", "")}`;
  const server = new pg.Client({ connectionString: url.toString() });
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  url.pathname = name;
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  await client.query(SCHEMA);
  await client.query(`SET search_path = ${PATH}`);
  url.searchParams.set("options", `-c search_path=${PATH}`);
  const run = async (statement: string, values: readonly unknown[] = []) =>
    void (await client.query(statement, [...values]));
  return {
    url: url.toString(),
    run,
    setClock: (ms) => run("UPDATE fake.clock SET at = $1::text::timestamptz", [new Date(ms).toISOString()]),
    async close() {
      await client.end();
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.end();
    },
  };
}
