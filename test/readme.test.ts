/** README's error table and the code's must say the same. */

import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { ERRORS } from "../src/core/errors.ts";

it("lists every error with whether it may be tried again, its status and its exit code, and no other", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const table = readme.slice(readme.indexOf("<!-- errors -->"), readme.indexOf("<!-- /errors -->"));
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (\d+) \| (\d+) \|/gm)];
  const documented = rows.map(([, code, again, status, exitCode]) => [
    code,
    { retryable: again === "yes", status: Number(status), exitCode: Number(exitCode) },
  ]);
  expect(Object.fromEntries(documented)).toEqual(ERRORS);
  expect(rows).toHaveLength(Object.keys(ERRORS).length);
});
