/** What a write that failed, or was cut short, leaves in memory and in the log must not touch what is acknowledged later. */

import { afterEach, expect, it, onTestFinished } from "vitest";
import { breakableDisk, createStoreRig, logBytes, type StoreRig } from "./store-rig.ts";

const disk = breakableDisk();
let rig: StoreRig;

function open(...options: Parameters<typeof createStoreRig>): StoreRig {
  rig = createStoreRig(...options);
  return rig;
}

afterEach(() => {
  disk.mend();
  rig.remove();
});

const deadLetters = () =>
  rig.ask("listDeadLetters", { filter: {}, after: 0, upTo: null }).letters.map(({ body }) => body);

it("gives all destinations what is committed after the replay for one of them was refused", () => {
  open({ destinations: ["a", "b"] });
  rig.commit([[0, "first"]]);
  rig.bury("a");
  rig.take("b");
  disk.limitFiles(0);
  expect(() => rig.replay()).toThrow("LEDGER_FULL");
  disk.mend();
  rig.commit([[0, "for both"]]);
  expect(rig.take("b")).toEqual(["for both"]);
  expect(rig.take("a")).toEqual(["for both"]);
  rig.reopen();
  expect(rig.ask("status", null).depth).toBe(0);
});

it("leaves nothing in the log of a write the disk had no room to end", () => {
  open();
  rig.commit([
    [0, "one"],
    [0, "two"],
    [1, "three"],
  ]);
  rig.bury();
  const before = logBytes(rig);
  disk.limitFiles(before + 300);
  expect(() => rig.replay()).toThrow("LEDGER_FULL");
  disk.mend();
  expect(logBytes(rig)).toBe(before);
  rig.kill();
  expect(deadLetters()).toEqual(["one", "two", "three"]);
  expect(rig.claim()).toBeNull();
});

it("keeps what is committed after such a write, as long as its first record, when the process is killed", () => {
  open();
  rig.commit([
    [0, `one${"x".repeat(500)}`],
    [1, "two"],
    [1, "three"],
  ]);
  rig.bury();
  const before = logBytes(rig);
  // Room for the first two records of the three.
  const [first, second] = replayedBytes();
  disk.limitFiles(before + first + second + 10);
  expect(() => rig.replay()).toThrow("LEDGER_FULL");
  disk.mend();
  rig.commit([[1, "A".repeat(first - recordBytes(""))]]);
  expect(logBytes(rig)).toBe(before + first);
  rig.kill();
  expect(deadLetters()).toHaveLength(3);
  expect(rig.take()).toEqual(["A".repeat(first - recordBytes(""))]);
});

it("keeps what is committed after a power cut that let a later record of a write reach the disk, but not the first", () => {
  open();
  rig.commit([[0, "before"]]);
  const before = logBytes(rig);
  disk.losePower(100);
  expect(() => rig.commitTogether([[1, "unheard-1"]], [[0, "unheard-2"]])).toThrow("power cut");
  disk.mend();
  rig.kill();
  rig.commit([[0, "ACKNOWLED"]]);
  expect(logBytes(rig)).toBe(before + recordBytes("unheard-1"));
  rig.kill();
  expect(rig.take()).toEqual(["before", "ACKNOWLED"]);
});

/** Of a record of one message of this text. */
function recordBytes(text: string): number {
  const other = aside();
  other.commit([[0, text]]);
  return logBytes(other);
}

/** Of the records that a replay of the dead letters writes: measured on another ledger, one by one. */
function replayedBytes(): readonly [number, number] {
  const other = aside();
  const bodies = deadLetters();
  other.commit(bodies.map((body, index) => [index === 0 ? 0 : 1, body] as const));
  other.bury();
  const ends = [logBytes(other)];
  for (let letter = 0; letter < 2; letter++) {
    other.replay({ limit: 1 });
    ends.push(logBytes(other));
  }
  const [start = 0, middle = 0, end = 0] = ends;
  return [middle - start, end - middle];
}

function aside(): StoreRig {
  const other = createStoreRig();
  onTestFinished(() => other.remove());
  return other;
}
