import { expect, it, vi } from "vitest";
import { PrickleError } from "../../src/core/errors.ts";
import type { Intake, PushDoor, PushRequest } from "../../src/core/source.ts";
import type { Ingest } from "../../src/pipeline/ingest.ts";
import { createTakeIn } from "../../src/pipeline/take-in.ts";

const REQUEST: PushRequest = { path: "", headers: {}, body: new Uint8Array(), receivedAt: 0 };

/** A door through which one record of this id comes. */
const doorOf =
  (source: string, id: string): PushDoor =>
  () => ({
    source,
    records: [{ source, id, occurredAt: 0, statedAt: 0, receivedAt: 0, payload: {} }],
    rejections: [],
  });

/** Ids by commit, in order; `contentBytes` of each record. */
function createDisk({ contentBytes = 1, fail = () => false }: { contentBytes?: number; fail?: () => boolean } = {}) {
  const commits: string[][] = [];
  const ingest: Ingest = {
    prepare: ({ records }: Intake) => {
      const [record] = records;
      if (record?.id === "breaks") throw new Error("a bug");
      const contents = new Uint8Array(contentBytes);
      const ids = Buffer.from(record?.id ?? "");
      return {
        received: records.length,
        parcels: [{ records: 1, messages: 1, ids, contents, statements: "", origins: ids }],
        rejections: [],
        groups: [],
      };
    },
    commit: async ({ received, parcels }) => {
      if (fail()) throw new PrickleError("LEDGER_FULL", "no room");
      commits.push(parcels.map(({ ids }) => Buffer.from(ids).toString()));
      return { received, messages: received, duplicates: 0, rejections: [], saved: 0, stale: 0, attributed: 0 };
    },
  };
  return { ingest, commits };
}

it("commits what comes in one turn of the event loop together, in the order it came", async () => {
  const { ingest, commits } = createDisk();
  const takeIn = createTakeIn(() => ingest);
  await Promise.all(["1", "2", "3"].map((id) => takeIn(doorOf("segment", id), REQUEST)));
  await takeIn(doorOf("segment", "4"), REQUEST);
  expect(commits).toEqual([["1", "2", "3"], ["4"]]);
});

it("commits each source by its own ingest", async () => {
  const disks = { web: createDisk(), app: createDisk() };
  const takeIn = createTakeIn((source) => disks[source === "web" ? "web" : "app"].ingest);
  await Promise.all([doorOf("web", "1"), doorOf("app", "2"), doorOf("web", "3")].map((door) => takeIn(door, REQUEST)));
  expect([disks.web.commits, disks.app.commits]).toEqual([[["1", "3"]], [["2"]]]);
});

it("refuses a request that its door or the mapping does not take, and no other", async () => {
  const { ingest, commits } = createDisk();
  const takeIn = createTakeIn((source) => {
    if (source === "unknown") throw new PrickleError("NOT_FOUND", "no such source");
    return ingest;
  });
  const closed: PushDoor = () => {
    throw new PrickleError("UNAUTHORIZED", "no");
  };
  const doors = [
    doorOf("segment", "1"),
    closed,
    doorOf("segment", "breaks"),
    doorOf("unknown", "2"),
    doorOf("segment", "3"),
  ];
  const settled = await Promise.allSettled(doors.map((door) => takeIn(door, REQUEST)));
  expect(settled).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "UNAUTHORIZED" } },
    { status: "rejected", reason: { message: "a bug" } },
    { status: "rejected", reason: { code: "NOT_FOUND" } },
    { status: "fulfilled" },
  ]);
  expect(commits).toEqual([["1", "3"]]);
});

it("keeps a commit from growing with the crowd", async () => {
  const { ingest, commits } = createDisk({ contentBytes: 400_000 });
  const takeIn = createTakeIn(() => ingest);
  await Promise.all(Array.from({ length: 7 }, (_, id) => takeIn(doorOf("segment", `${id}`), REQUEST)));
  expect(commits).toEqual([["0", "1", "2"], ["3", "4", "5"], ["6"]]);
});

it("counts what is refused too", async () => {
  const { ingest, commits } = createDisk();
  const refused = { source: "s", recordId: null, reason: "not_a_call", detail: "why", receivedAt: 0 } as const;
  const rejections = [{ ...refused, payload: "x".repeat(400_000) }];
  const takeIn = createTakeIn(() => ({
    ...ingest,
    prepare: (intake) => ({ ...ingest.prepare(intake), rejections }),
  }));
  await Promise.all(Array.from({ length: 7 }, (_, id) => takeIn(doorOf("segment", `${id}`), REQUEST)));
  expect(commits).toEqual([["0", "1", "2"], ["3", "4", "5"], ["6"]]);
});

it("tells everybody of a commit that failed, and goes on with the next", async () => {
  const fail = vi.fn(() => false).mockReturnValueOnce(true);
  const { ingest, commits } = createDisk({ fail });
  const takeIn = createTakeIn(() => ingest);
  const settled = await Promise.allSettled(["1", "2"].map((id) => takeIn(doorOf("segment", id), REQUEST)));
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await takeIn(doorOf("segment", "1"), REQUEST);
  expect(commits).toEqual([["1"]]);
});
