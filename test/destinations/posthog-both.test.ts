/** What holds by either protocol: notes, the ceiling of a distinct id, and the size of a request. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Destination } from "../../src/core/destination.ts";
import { createPosthogDestination, type PosthogOptions } from "../../src/destinations/posthog/posthog.ts";
import { createManualClock } from "../fakes/clock.ts";
import { createMemoryLedger } from "../fakes/ledger.ts";
import { event, toOutbox, uuidOf } from "../fakes/outbox.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createRig } from "../pipeline/delivery-rig.ts";

const unsignalled = new AbortController().signal;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function open(host: string, options: Partial<PosthogOptions>): Destination {
  const fixed = { name: "posthog", host, token: "phc_test", version: "1.0.0" };
  const destination = createPosthogDestination({ ...fixed, messagesPerSecond: null, lingerMs: 0, ...options });
  closing.push(() => destination.close());
  return destination;
}

async function startPosthog(): Promise<FakePosthog> {
  const posthog = await startFakePosthog();
  closing.push(() => posthog.close());
  return posthog;
}

const deliver = (destination: Destination, messages: readonly ReturnType<typeof event>[]) =>
  destination.deliver(messages.map(toOutbox), unsignalled);

describe.each(["v0", "v1"] as const)("by %s", (protocol) => {
  it("counts and notes a message that was mended on the way out", async () => {
    const posthog = await startPosthog();
    const personless = event("ada", 0);
    const properties = `"properties":{"$process_person_profile":false,"$groups":{"company":"acme"},`;
    const messages = [{ ...personless, json: personless.json.replace(`"properties":{`, properties) }, event("bob", 1)];
    const clock = createManualClock();
    const ledger = createMemoryLedger("posthog", clock);
    ledger.put(messages);
    const rig = createRig(open(posthog.url, { protocol }), () => ledger, { clock });
    await rig.drain();
    await rig.delivery.stop(1000);
    expect(ledger.delivered).toHaveLength(2);
    expect(posthog.events()[0]?.properties).not.toHaveProperty("$process_person_profile");
    expect(rig.observed.filter((line) => line.startsWith("noted"))).toEqual(["noted 1: mended_personless"]);
  });

  it("lets a distinct id have a burst of ten seconds, then so many a second, and others go on", async () => {
    const posthog = await startPosthog();
    const clock = createManualClock();
    const destination = open(posthog.url, { protocol, clock, messagesPerDistinctIdPerSecond: 2 });
    const busy = Array.from({ length: 25 }, (_, sequence) => event("busy", sequence));
    const outcomes = await deliver(destination, [...busy, event("calm", 99)]);
    const kinds = [...Array(20).fill("delivered"), ...Array(5).fill("later"), "delivered"];
    expect(outcomes.map(({ kind }) => kind)).toEqual(kinds);
    expect(outcomes[20]).toMatchObject({ afterMs: 500 });
    expect(posthog.arrivals).toEqual([...busy.slice(0, 20).map(({ uuid }) => uuid), uuidOf(99)]);
    await clock.advance(1000);
    const more = await deliver(destination, busy.slice(20));
    expect(more.map(({ kind }) => kind)).toEqual(["delivered", "delivered", "later", "later", "later"]);
  });

  it.each([
    [undefined, 800],
    [null, 900],
  ])("has a ceiling of 80 a second unless told: %s", async (messagesPerDistinctIdPerSecond, most) => {
    const posthog = await startPosthog();
    const told = messagesPerDistinctIdPerSecond === null ? { messagesPerDistinctIdPerSecond } : {};
    const destination = open(posthog.url, { protocol, clock: createManualClock(), ...told });
    const messages = Array.from({ length: 900 }, (_, sequence) => event("busy", sequence));
    const outcomes = await deliver(destination, messages);
    expect(outcomes.filter(({ kind }) => kind === "delivered")).toHaveLength(most);
  });

  const full = protocol === "v0" ? 23 : 11;
  it("sends no request that is larger than PostHog takes", async () => {
    const taker = await startTaker();
    const destination = open(taker.url, { protocol, compression: "none" });
    const large = Array.from({ length: full + 1 }, (_, sequence) => {
      const message = event(`user-${sequence}`, sequence);
      return {
        ...message,
        json: message.json.replace(`"properties":{`, `"properties":{"x":"${"x".repeat(890_000)}",`),
      };
    });
    const sent = await deliver(destination, large.slice(0, full));
    expect(sent.map(({ kind }) => kind)).toEqual(Array(full).fill("delivered"));
    expect(taker.sizes).toHaveLength(1);
    const apart = await deliver(destination, large);
    expect(apart.map(({ kind }) => kind)).toEqual(Array(full + 1).fill("delivered"));
    expect(taker.sizes).toHaveLength(3);
    const most = protocol === "v0" ? 20 * 1024 * 1024 : 10 * 1024 * 1024;
    for (const size of taker.sizes) expect(size).toBeLessThanOrEqual(most);
  });
});

it("notes that a quota of something other than events is used up", async () => {
  const posthog = await startPosthog();
  posthog.failNext({ kind: "status", status: 200, body: '{"status":"Ok","quota_limited":["recordings"]}' });
  expect(await deliver(open(posthog.url, { protocol: "v0" }), [event("ada", 1)])).toEqual([
    { kind: "delivered", note: "over quota for recordings", code: "quota_limited" },
  ]);
});

/** Takes requests of any size, by both protocols, and keeps their sizes. */
async function startTaker(): Promise<{ readonly url: string; readonly sizes: readonly number[] }> {
  const sizes: number[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    sizes.push(body.length);
    const { batch }: { readonly batch: readonly { readonly uuid: string }[] } = JSON.parse(body.toString());
    const results = Object.fromEntries(batch.map(({ uuid }) => [uuid, { result: "ok" }]));
    response.writeHead(200).end(JSON.stringify({ status: "Ok", results }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // A server listening on TCP has one.
  return { url: `http://127.0.0.1:${port}`, sizes };
}
