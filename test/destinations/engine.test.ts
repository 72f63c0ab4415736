import { expect, it } from "vitest";
import { DELIVERED, type Outcome } from "../../src/core/destination.ts";
import { PrickleError } from "../../src/core/errors.ts";
import { createEngineDestination } from "../../src/destinations/engine.ts";
import { outboxMessages } from "../fakes/outbox.ts";

const unsignalled = new AbortController().signal;

it("hands the bodies over as they are, and gives the engine's outcomes back", async () => {
  const answers: readonly Outcome[] = [DELIVERED, { kind: "dead", reason: "engine: no" }, DELIVERED];
  const messages = outboxMessages(3);
  let taken: readonly Uint8Array[] = [];
  const destination = createEngineDestination({
    name: "engine",
    append: async (bodies) => {
      taken = bodies;
      return answers;
    },
  });
  expect(await destination.deliver(messages, unsignalled)).toEqual(answers);
  expect(taken).toEqual(messages.map(({ body }) => body));
});

it.each([
  new PrickleError("ENGINE_UNAVAILABLE", "the disk is full"),
  new PrickleError("STOPPING", "the engine is closed"),
  new Error("something nobody thought of"),
])("holds the whole batch back when the engine throws: %s", async (thrown) => {
  const destination = createEngineDestination({ name: "engine", append: () => Promise.reject(thrown) });
  const outcomes = await destination.deliver(outboxMessages(2), unsignalled);
  const held = { kind: "retry", reason: `engine: ${thrown.message}` };
  expect(outcomes).toEqual([held, held]);
});

it("passes on for how long to wait", async () => {
  const busy = new PrickleError("ENGINE_UNAVAILABLE", "busy", { retryAfterMs: 5000 });
  const destination = createEngineDestination({ name: "engine", append: () => Promise.reject(busy) });
  expect(await destination.deliver(outboxMessages(1), unsignalled)).toMatchObject([{ retryAfterMs: 5000 }]);
});

it("writes one batch at a time, and lets the configuration choose their size", () => {
  const append = () => Promise.resolve([]);
  expect(createEngineDestination({ name: "engine", append }).limits.concurrency).toBe(1);
  const { limits } = createEngineDestination({ name: "engine", append, limits: { maxMessages: 10 } });
  expect(limits).toMatchObject({ maxMessages: 10, concurrency: 1 });
});
