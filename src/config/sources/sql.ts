/** What a source needs that is a query against PostgreSQL. */

import * as z from "zod";
import { duration } from "../duration.ts";
import { count, secret } from "../fields.ts";
import { pulled } from "./pull.ts";

const column = z.string().min(1).max(63);

export const sql = z.strictObject({
  type: z.literal("sql"),
  mapping: z.string().min(1).describe("a path from this file: none is shipped for a table of your own"),
  ...pulled,
  url: secret("postgres://user:password@host:5432/database, of a user who may read"),
  query: z.string().min(1).describe("a SELECT without a semicolon: each row it gives is a company"),
  idColumn: column.describe("the column that tells rows apart: unique, never null, and best with an index"),
  updatedAtColumn: column
    .nullable()
    .default(null)
    .describe("the timestamp of the last change, best with an index; without it all rows are read each time"),
  deletedColumn: column
    .nullable()
    .default(null)
    .describe("a boolean, or the timestamp of deletion; without it a row that is not there any more is gone"),
  overlap: duration({ from: "0s", to: "7d" })
    .prefault("10m")
    .describe("a duration from 0s to 7d: how far back changes are read again, longer than any transaction takes"),
  statementTimeout: duration({ from: "1s", to: "1h" })
    .prefault("2m")
    .describe("a duration from 1s to 1h: how long one page may take"),
  rowsAtOnce: count(10_000).default(1000).describe("a whole number from 1 to 10000: rows per page"),
});
