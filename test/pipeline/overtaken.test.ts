import { expect, it } from "vitest";
import type { KnownRow } from "../../src/core/rows.ts";
import { compareRows } from "../../src/pipeline/rows/compare-rows.ts";
import { overtakenIds } from "../../src/pipeline/rows/overtaken.ts";

const READ_AT = 1_000_000;
const BEHIND_MS = 1_000;
const LATELY = READ_AT - 500;
const LONG_AGO = READ_AT - 5_000;
const comparison = { source: "crm", digest: "m1", startedAt: READ_AT - 100, notesSeen: true, receivedAt: READ_AT };
const row = { id: "7", updatedAt: LONG_AGO, payload: { name: "as read" } };

const known = (name: string, more: Partial<KnownRow>): KnownRow => {
  const told = compareRows([{ ...row, payload: { name } }], new Map(), LONG_AGO, comparison).rows[0];
  if (!told) throw new RangeError("nothing was told");
  return { ...told, seenAt: LONG_AGO, ...more };
};

it.each<[string, KnownRow | null, boolean]>([
  ["told of another content a moment before", known("another", { toldAt: LATELY }), true],
  ["told of another content in the same run", known("another", { toldAt: LONG_AGO, seenAt: READ_AT - 100 }), true],
  ["told to be removed a moment before", known("as read", { toldAt: LATELY, state: "archived" }), true],
  ["told of the same a moment before", known("as read", { toldAt: LATELY }), false],
  ["told of another content long ago", known("another", { toldAt: LONG_AGO }), false],
  ["told to be removed long ago", known("as read", { toldAt: LONG_AGO, state: "archived" }), false],
  ["never told of", null, false],
])("doubts a row that may be behind: %s", (_, before, isDoubted) => {
  const rows = new Map(before ? [["7", before]] : []);
  const page = { rows: [row], readAt: READ_AT };
  expect(overtakenIds({ ...page, behindMs: BEHIND_MS }, rows, comparison)).toEqual(isDoubted ? ["7"] : []);
  expect(overtakenIds(page, rows, comparison)).toEqual([]);
  const later = { ...row, updatedAt: LATELY + 1 };
  const isRemoved = before?.state === "archived" && isDoubted;
  expect(overtakenIds({ ...page, rows: [later], behindMs: BEHIND_MS }, rows, comparison)).toEqual(
    isRemoved ? ["7"] : [],
  );
});
