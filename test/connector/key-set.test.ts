/** Keys that were seen, by their hashes. */

import { expect, it } from "vitest";
import { createKeySet } from "../../src/connector/verify/key-set.ts";

it("knows each key once it was added, and no other, however many there are", () => {
  const keys = createKeySet();
  for (let n = 0; n < 50_000; n++) if (!keys.add(`company-${n}`)) throw new Error(`company-${n}`);
  expect(keys.add("company-7")).toBe(false);
  for (let n = 0; n < 50_000; n++) {
    if (!keys.has(`company-${n}`) || keys.has(`other-${n}`)) throw new Error(`company-${n}`);
  }
  expect(keys.add("")).toBe(true);
  expect(keys.has("")).toBe(true);
});
