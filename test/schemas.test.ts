import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { schemaFiles } from "../src/cli/schemas.ts";

it.each(schemaFiles())("schemas/$name is what the code makes: else run `npm run schemas`", async ({ name, text }) => {
  expect(await readFile(new URL(`../schemas/${name}`, import.meta.url), "utf8")).toBe(text);
});
