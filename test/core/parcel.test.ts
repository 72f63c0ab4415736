import { expect, it } from "vitest";
import { createMemoryPool } from "../../src/core/memory-pool.ts";
import { createParcelWriter, readParcel } from "../../src/core/parcel.ts";
import { uuidOf } from "../../src/core/uuid.ts";
import { uuidOf as textOf } from "../fakes/outbox.ts";

const writer = createParcelWriter();

function write(record: number, ...texts: readonly string[]): void {
  writer.record(uuidOf(textOf(record)));
  for (const [index, text] of texts.entries()) {
    writer.beginMessage(uuidOf(textOf(100 * record + index)));
    writer.json.text(text);
    writer.endMessage(index);
  }
}

it("holds records with their messages, in order, and leaves out records without any", () => {
  write(1, "a", "ä€😀");
  write(2);
  write(3, "c");
  write(4);
  const parcel = writer.take();
  expect(parcel).toMatchObject({ records: 2, messages: 3 });
  expect(readParcel(parcel)).toEqual([
    {
      id: textOf(1),
      messages: [
        { uuid: textOf(100), lane: 0, facts: "", json: "a" },
        { uuid: textOf(101), lane: 1, facts: "", json: "ä€😀" },
      ],
    },
    { id: textOf(3), messages: [{ uuid: textOf(300), lane: 0, facts: "", json: "c" }] },
  ]);
});

it("keeps its bytes when the next one is written", () => {
  write(1, "first");
  const first = writer.take();
  write(2, "second");
  expect(readParcel(writer.take())).toMatchObject([{ messages: [{ json: "second" }] }]);
  expect(readParcel(first)).toMatchObject([{ messages: [{ json: "first" }] }]);
});

it("forgets a message that was dropped, and all of a begun parcel when cleared", () => {
  write(1, "kept");
  writer.beginMessage(uuidOf(textOf(9)));
  writer.json.text("dropped");
  writer.dropMessage();
  expect(readParcel(writer.take())).toMatchObject([{ messages: [{ json: "kept" }] }]);
  write(2, "cleared");
  writer.clear();
  expect(writer.take()).toMatchObject({ records: 0, messages: 0 });
});

it("comes in memory that is given back, when there is some that fits", () => {
  const pool = createMemoryPool(2);
  const pooled = createParcelWriter(pool);
  const large = () => {
    pooled.record(uuidOf(textOf(1)));
    pooled.beginMessage(uuidOf(textOf(1)));
    pooled.json.text("x".repeat(100_000));
    pooled.endMessage(0);
    return pooled.take().contents.buffer;
  };
  const first = large();
  expect(large()).not.toBe(first);
  if (first instanceof ArrayBuffer) pool.give(first);
  expect(large()).toBe(first);
});
