import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import { createFakeRows, type FakeRows } from "../fakes/rows.ts";
import { createRowsRig } from "./rows-rig.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function filled(count: number): FakeRows {
  const rows = createFakeRows();
  for (let index = 0; index < count; index++) rows.put(idOf(index), { n: index });
  rows.now += 5 * MINUTE_MS;
  return rows;
}

const idOf = (index: number) => `r${index.toString().padStart(3, "0")}`;

describe("the first run", () => {
  it("reads all rows, each once, at the time it was modified, and commits a cursor with each page", async () => {
    const rows = filled(7);
    const { pull, records, said } = createRowsRig(rows);
    const pages = await pull();
    expect(said()).toEqual(rows.live);
    expect(records).toHaveLength(7);
    expect(new Set(records.map(({ occurredAt }) => occurredAt))).toEqual(new Set([Date.UTC(2026, 0, 1)]));
    expect(pages.at(-1)?.progress.run).toMatchObject({ kind: "full", read: 7, changed: 7, removed: 0, window: null });
    expect(new Set(pages.map(({ cursor }) => cursor)).size).toBe(pages.length);
  });

  it("goes on where it was killed, and asks for no page twice", async () => {
    const rows = filled(9);
    const { pull, said } = createRowsRig(rows);
    await pull({}, 2);
    const asked = rows.requests();
    const [first] = await pull();
    expect(first?.progress.run).toMatchObject({ read: 9, startedAt: rows.now });
    expect(rows.requests() - asked).toBeLessThan(5);
    expect(said()).toEqual(rows.live);
  });
});

describe("a later run", () => {
  it("reads what changed since, and says nothing of what says the same", async () => {
    const rows = filled(6);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += DAY_MS / 2;
    rows.put(idOf(2), { n: 20 });
    rows.put(idOf(3), { n: 3 });
    rows.now += 2 * MINUTE_MS;
    const pages = await pull();
    expect(pages.at(-1)?.progress.run).toMatchObject({ kind: "changes", read: expect.any(Number), changed: 1 });
    expect(records.slice(6).map(({ payload }) => payload)).toEqual([{ n: 20 }]);
  });

  it("finds in the next run what was too new, or found late, for this one", async () => {
    const rows = filled(3);
    const { pull, said } = createRowsRig(rows);
    await pull();
    rows.now += MINUTE_MS;
    rows.put(idOf(0), { n: "fresh" });
    await pull();
    expect(said().get(idOf(0))).toEqual({ n: 0 });
    rows.now += 2 * MINUTE_MS;
    await pull();
    expect(said().get(idOf(0))).toEqual({ n: "fresh" });
  });

  it("reads a window once more when it is settled", async () => {
    const rows = filled(3);
    const { pull, said } = createRowsRig(rows);
    await pull();
    const first = rows.now;
    rows.now += 30 * MINUTE_MS;
    await pull();
    // Found late: it says that it was modified in a window that was read already.
    rows.now = first + 10 * MINUTE_MS;
    rows.put(idOf(9), { n: "late" });
    rows.now = first + 180 * MINUTE_MS;
    await pull();
    expect(said().get(idOf(9))).toEqual({ n: "late" });
  });

  it("is a full one again when the mapping changed, when it is due, or when somebody asks", async () => {
    const rows = filled(3);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += MINUTE_MS;
    const kindOf = async (options: Parameters<typeof pull>[0]) => (await pull(options)).at(-1)?.progress.run?.kind;
    expect(await kindOf({})).toBe("changes");
    expect(await kindOf({ isFull: true })).toBe("full");
    expect(records).toHaveLength(3);
    expect(await kindOf({ digest: "m2" })).toBe("full");
    expect(records).toHaveLength(6);
    expect(await kindOf({ digest: "m2" })).toBe("changes");
    rows.now += 7 * DAY_MS + MINUTE_MS;
    expect(await kindOf({ digest: "m2" })).toBe("full");
  });

  it("says what changed without a word of its time as true when it was read", async () => {
    const rows = filled(3);
    const { pull, records, said } = createRowsRig(rows);
    await pull();
    rows.now += DAY_MS;
    rows.put(idOf(1), { n: "calculated" }, { isSilent: true });
    await pull({ isFull: true });
    expect(said()).toEqual(rows.live);
    expect(records.at(-1)?.occurredAt).toBe(rows.now);
    rows.now += DAY_MS;
    rows.put(idOf(1), { n: 1 }, { isSilent: true });
    await pull({ isFull: true });
    expect(said()).toEqual(rows.live);
    expect(records).toHaveLength(5);
  });

  it("starts from the time somebody gives, and forgets nothing by it", async () => {
    const rows = filled(3);
    const { pull, said } = createRowsRig(rows);
    const begin = rows.now;
    await pull();
    rows.now += DAY_MS;
    rows.put(idOf(0), { n: "early" });
    rows.now += DAY_MS;
    rows.put(idOf(1), { n: "late" });
    rows.now += 5 * MINUTE_MS;
    const pages = await pull({ since: begin + DAY_MS });
    expect(pages.at(-1)?.progress.run).toMatchObject({ window: { from: begin + DAY_MS } });
    expect(said()).toEqual(rows.live);
  });

  it("does not take what lies before that time for known", async () => {
    const rows = filled(3);
    const { pull, said } = createRowsRig(rows);
    await pull();
    rows.now += 5 * MINUTE_MS;
    rows.put(idOf(0), { n: "in the gap" });
    rows.now += 60 * MINUTE_MS;
    await pull({ since: rows.now - 10 * MINUTE_MS });
    expect(said().get(idOf(0))).toEqual({ n: 0 });
    await pull();
    expect(said()).toEqual(rows.live);
  });

  it("reads all again after a full run that was interrupted and given up for a time somebody gave", async () => {
    const rows = filled(9);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += 30 * MINUTE_MS;
    await pull({ digest: "m2" }, 1);
    await pull({ digest: "m2", since: rows.now - MINUTE_MS });
    expect(records).toHaveLength(12);
    expect((await pull({ digest: "m2" })).at(-1)?.progress.run?.kind).toBe("full");
    expect(records).toHaveLength(18);
  });

  it("reads all where a large part changed", async () => {
    const rows = filled(2);
    const { pull } = createRowsRig(rows);
    await pull();
    rows.now += MINUTE_MS;
    const { changed } = rows;
    if (!changed) throw new Error("it knows changes");
    const many = Object.assign(rows, {
      changed: async function* (...asked: Parameters<typeof changed>) {
        for await (const page of changed(...asked)) yield { ...page, expected: 30_000 };
      },
    });
    many.put(idOf(0), { n: "x" });
    rows.now += 2 * MINUTE_MS;
    expect((await pull()).at(-1)?.progress.run).toMatchObject({ kind: "full", read: 2 });
  });
});

it("tells two runs apart that begin at one time", async () => {
  const rows = filled(2);
  const { pull, said } = createRowsRig(rows);
  const [first] = await pull();
  rows.erase(idOf(1));
  const [second] = await pull({ isFull: true });
  expect(second?.progress.run?.startedAt).not.toBe(first?.progress.run?.startedAt);
  expect(said().get(idOf(1))).toBeNull();
});

describe("a row that is gone", () => {
  it.each(["archive", "erase"] as const)(
    "is said to be, once, after %s, and not any more when it is back",
    async (how) => {
      const rows = filled(4);
      const { pull, records, said, known } = createRowsRig(rows);
      await pull();
      rows.now += DAY_MS;
      rows[how](idOf(1));
      await pull({ isFull: true });
      expect(said().get(idOf(1))).toBeNull();
      expect(records.at(-1)?.payload).toMatchObject({ id: idOf(1), removed: { into: null } });
      rows.now += DAY_MS;
      await pull({ isFull: true });
      expect(records).toHaveLength(5);
      if (how === "archive") rows.restore(idOf(1));
      else rows.put(idOf(1), { n: 1 });
      rows.now += DAY_MS;
      await pull({ isFull: true });
      expect(said()).toEqual(rows.live);
      expect(records.at(-1)?.payload).toEqual({ n: 1, restored: true });
      expect(known.get(idOf(1))?.state).toBe("live");
    },
  );

  it("that was merged says into which", async () => {
    const rows = filled(3);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += DAY_MS;
    rows.merge(idOf(0), idOf(2));
    await pull({ isFull: true });
    expect(records.at(-1)?.payload.removed).toEqual({
      as: "merged",
      at: new Date(rows.now).toISOString(),
      into: idOf(2),
    });
  });

  it("is found without a full run where the source lists removals", async () => {
    const rows = filled(3);
    const { pull, said } = createRowsRig(rows);
    await pull();
    rows.now += DAY_MS;
    rows.archive(idOf(0));
    rows.now += DAY_MS;
    expect((await pull()).at(-1)?.progress.run).toMatchObject({ kind: "changes", removed: 1 });
    expect(said().get(idOf(0))).toBeNull();
  });

  it("is not believed when too many are gone at once, until somebody says that it is right", async () => {
    const rows = filled(120);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += DAY_MS;
    for (let index = 0; index < 60; index++) rows.erase(idOf(index));
    const refused = { code: "SOURCE_CHANGED", message: expect.stringContaining("60 of 120 rows vanished") };
    await expect(pull({ isFull: true })).rejects.toMatchObject(refused);
    expect(records).toHaveLength(120);
    await expect(pull()).rejects.toMatchObject(refused);
    await pull({ acceptsRemovals: true });
    expect(records).toHaveLength(180);
  });

  it("is looked for anew after that: what was not to be seen for a while is not taken for gone", async () => {
    const rows = filled(120);
    const { pull, records, said } = createRowsRig(rows);
    await pull();
    const before = [...rows.live];
    rows.now += DAY_MS;
    for (const [id] of before.slice(0, 60)) rows.erase(id);
    await expect(pull({ isFull: true })).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    for (const [id, payload] of before.slice(0, 60)) rows.put(id, payload);
    rows.now += MINUTE_MS;
    expect((await pull()).at(-1)?.progress.run).toMatchObject({ kind: "full", read: 120, removed: 0 });
    expect([records.length, said()]).toEqual([120, rows.live]);
  });

  it("is not believed of fewer when a source lists too many removals", async () => {
    const rows = filled(120);
    const { pull, records } = createRowsRig(rows);
    await pull();
    rows.now += 2 * DAY_MS;
    for (let index = 0; index < 60; index++) rows.archive(idOf(index));
    await expect(pull()).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    expect(records).toHaveLength(120);
  });
});

it("fails with what the source throws, and goes on from the page before", async () => {
  const rows = filled(9);
  const { pull, said } = createRowsRig(rows);
  let pages = 0;
  rows.onPage = () => {
    pages += 1;
    if (pages === 3) throw new PrickleError("SOURCE_UNAVAILABLE", "it is down");
  };
  await expect(pull()).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
  expect(said().size).toBe(3);
  await pull();
  expect(said()).toEqual(rows.live);
});

it("keeps nothing in a dry run, and looks for no removals in it", async () => {
  const rows = filled(4);
  const { pull, records, known } = createRowsRig(rows);
  const pages = await pull({ isRehearsal: true });
  expect(pages.flatMap((page) => page.records)).toHaveLength(4);
  expect([records.length, known.size]).toEqual([0, 0]);
});

const edit = fc.record({
  what: fc.constantFrom("put", "silent", "archive", "restore", "merge", "erase"),
  row: fc.nat(7),
  value: fc.nat(2),
  minutes: fc.nat(90),
});
const step = fc.oneof(
  { weight: 3, arbitrary: edit },
  {
    weight: 1,
    arbitrary: fc.record({ pages: fc.nat(4), isFull: fc.boolean(), edits: fc.array(edit, { maxLength: 3 }) }),
  },
);

it("knows in the end what is true, whatever is edited, and whenever it is killed, and says no more than changed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, knowsChanges) => {
      const rows = createFakeRows({ knowsChanges });
      const { pull, said, records } = createRowsRig(rows);
      let edits = 0;
      const apply = (one: typeof edit extends fc.Arbitrary<infer Edit> ? Edit : never) => {
        edits += 1;
        rows.now += one.minutes * MINUTE_MS + 1;
        const id = idOf(one.row);
        if (one.what === "put" || one.what === "silent")
          rows.put(id, { v: one.value }, { isSilent: one.what === "silent" });
        else if (one.what === "merge") rows.merge(id, "other");
        else rows[one.what](id);
      };
      for (const one of steps) {
        if ("what" in one) apply(one);
        else {
          const left = [...one.edits];
          rows.onPage = () => {
            const next = left.shift();
            if (next) apply(next);
          };
          await pull({ isFull: one.isFull }, one.pages);
          rows.onPage = () => undefined;
        }
      }
      rows.now += DAY_MS;
      await pull();
      rows.now += DAY_MS;
      await pull({ isFull: true });
      const live = [...said()].filter(([, payload]) => payload !== null);
      expect(new Map(live)).toEqual(rows.live);
      expect(records.length).toBeLessThanOrEqual(edits);
    }),
    { numRuns: 300 },
  );
});
