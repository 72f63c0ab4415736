import { PassThrough, Writable } from "node:stream";
import { expect, it } from "vitest";
import { createConsoleDestination, writeTo } from "../../src/destinations/console.ts";
import { outboxMessages } from "../fakes/outbox.ts";

const unsignalled = new AbortController().signal;

it("writes each message as one line of JSON and counts it as delivered", async () => {
  const stream = new PassThrough();
  const destination = createConsoleDestination({ name: "console", write: writeTo(stream) });
  const outcomes = await destination.deliver(outboxMessages(3), unsignalled);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["delivered", "delivered", "delivered"]);
  const lines = String(stream.read()).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).properties.$group_set.sequence)).toEqual([0, 1, 2]);
});

it("waits for a slow reader", async () => {
  const stream = new PassThrough({ highWaterMark: 16 });
  const destination = createConsoleDestination({ name: "console", write: writeTo(stream) });
  let isDone = false;
  const delivered = destination.deliver(outboxMessages(1), unsignalled).then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  stream.resume();
  await delivered;
});

it("holds messages back when they cannot be written", async () => {
  const broken = new Writable({
    write: (_chunk, _encoding, done) => done(new Error("no space left")),
    highWaterMark: 1,
  });
  broken.on("error", () => undefined);
  const destination = createConsoleDestination({ name: "console", write: writeTo(broken) });
  for (let attempt = 0; attempt < 2; attempt++) {
    const [outcome] = await destination.deliver(outboxMessages(1), unsignalled);
    expect(outcome?.kind).toBe("retry");
  }
});
