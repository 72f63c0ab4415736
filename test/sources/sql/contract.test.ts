import { afterAll, beforeAll, describe } from "vitest";
import { describeRowSource } from "../../contracts/row-source.ts";
import { DATABASES, type TestDatabase } from "./database.ts";
import { prepareAccounts } from "./rig.ts";

describe.each(DATABASES)("%s", (_, openDatabase) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase();
  });
  afterAll(() => database.close());

  for (const [name, options] of [
    ["a query with a time of modification", {}],
    ["a query without one", { updatedAtColumn: null, deletedColumn: null }],
  ] as const) {
    describeRowSource(name, async () => {
      const accounts = await prepareAccounts(database);
      const isMarked = !("deletedColumn" in options);
      return {
        open: () => accounts.open(options),
        now: accounts.now,
        advance: accounts.advance,
        put: (number, text) => accounts.put(number, text),
        remove: (number) =>
          isMarked ? accounts.put(number, `row ${number}`, { deleted: true }) : accounts.remove(number),
        idOf: String,
        nameIn: (payload) => payload.name,
        breakOnce: null,
        close: accounts.close,
      };
    });
  }
});
