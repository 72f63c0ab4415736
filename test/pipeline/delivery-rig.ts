/** A delivery with everything around it passed in, and a clock that moves on only while nobody works. */

import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../src/core/clock.ts";
import type { Destination, Outcome } from "../../src/core/destination.ts";
import type { OutboxMessage, OutgoingMessage } from "../../src/core/message.ts";
import type { Logger, Observer } from "../../src/core/observer.ts";
import { createDelivery, type Delivery, type DeliveryDependencies } from "../../src/pipeline/deliver.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { uuidIn } from "../fakes/outbox.ts";

export interface Rig {
  readonly delivery: Delivery;
  /** Starts if need be, and moves the clock on until nothing waits. */
  drain(): Promise<void>;
  /** Moves the clock on, a second at a time while nobody works, until `condition` holds. */
  until(condition: () => boolean): Promise<void>;
  /** Moves the clock on by `ms`, as above. */
  pass(ms: number): Promise<void>;
  readonly clock: ManualClock;
  /** `retried 3: reason`, … */
  readonly observed: readonly string[];
  readonly logged: readonly string[];
}

type Outbox = DeliveryDependencies["ledger"];

export function createRig(
  destination: Destination,
  createLedger: (clock: ManualClock) => Outbox,
  options: Pick<DeliveryDependencies, "leaseMs" | "retryHorizonMs"> & {
    readonly clock?: ManualClock;
    /** How many of those who work only wait for the clock. */
    readonly resting?: () => number;
  } = {},
): Rig {
  const clock = options.clock ?? createManualClock();
  const { resting = () => 0 } = options;
  const observed: string[] = [];
  const logged: string[] = [];
  let working = 0;
  const work = async <Result>(promise: Promise<Result>): Promise<Result> => {
    working += 1;
    return promise.finally(() => {
      working -= 1;
    });
  };
  const ledger = createLedger(clock);
  const delivery = createDelivery({
    ...options,
    clock,
    ledger: {
      claim: (request) => work(ledger.claim(request)),
      settle: (id, outcomes) => work(ledger.settle(id, outcomes)),
      status: () => work(ledger.status()),
    },
    destination: { ...destination, deliver: (messages, signal) => work(destination.deliver(messages, signal)) },
    observer: recordingObserver(observed),
    logger: recordingLogger(logged),
    random: () => 0.5,
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      for (let turns = 0; turns < 3; turns++) await turn();
      if (working === resting() && !condition()) await clock.advance(1000);
    }
  }

  return {
    delivery,
    clock,
    observed,
    logged,
    until,
    async drain() {
      delivery.start();
      let idle = false;
      void delivery.idle().then(() => {
        idle = true;
      });
      await until(() => idle);
    },
    async pass(ms) {
      const end = clock.now() + ms;
      await until(() => clock.now() >= end);
    },
  };
}

/** A clock for what is at work, which tells when it only waits. */
export function createWorkClock(clock: Clock): Clock & { readonly resting: () => number } {
  let resting = 0;
  return {
    now: clock.now,
    async sleep(ms, signal) {
      resting += 1;
      await clock.sleep(ms, signal);
      resting -= 1;
    },
    resting: () => resting,
  };
}

export interface ScriptedDestination extends Destination {
  /** Uuids of each batch asked for. */
  readonly batches: readonly (readonly string[])[];
  /** Uuids delivered, in order. */
  readonly delivered: readonly string[];
}

/** Answers as `decide` says for each batch; what it leaves out is delivered. */
export function scriptedDestination(
  decide: (messages: readonly OutboxMessage[], signal: AbortSignal) => Outcome | readonly Outcome[] | Promise<Outcome>,
  limits: Partial<Destination["limits"]> = {},
): ScriptedDestination {
  const batches: string[][] = [];
  const delivered: string[] = [];
  return {
    name: "test",
    batches,
    delivered,
    limits: {
      maxMessages: 10,
      maxBytes: 1_000_000,
      concurrency: 2,
      messagesPerSecond: null,
      requestsPerSecond: null,
      lingerMs: 0,
      ...limits,
    },
    async deliver(messages, signal) {
      batches.push(messages.map(uuidIn));
      const decided = await decide(messages, signal);
      const outcomes = "kind" in decided ? messages.map(() => decided) : decided;
      for (const [index, message] of messages.entries()) {
        if (outcomes[index]?.kind === "delivered") delivered.push(uuidIn(message));
      }
      return outcomes;
    },
    close: () => Promise.resolve(),
  };
}

/** True when within each lane the uuids come in the order of `messages`. */
export function isInLaneOrder(uuids: readonly string[], messages: readonly OutgoingMessage[]): boolean {
  const lanes = new Map(messages.map(({ uuid, lane }) => [uuid, lane]));
  const last = new Map<number, string>();
  for (const uuid of uuids) {
    const lane = lanes.get(uuid) ?? -1;
    if ((last.get(lane) ?? "") >= uuid) return false;
    last.set(lane, uuid);
  }
  return true;
}

function recordingObserver(observed: string[]): Observer {
  const nothing = () => undefined;
  return {
    received: nothing,
    rejected: nothing,
    duplicated: nothing,
    mended: nothing,
    committed: nothing,
    delivered: (_, messages) => void observed.push(`delivered ${messages}`),
    retried: (_, messages, reason) => void observed.push(`retried ${messages}: ${reason}`),
    noted: (_, messages, code) => void observed.push(`noted ${messages}: ${code}`),
    died: (_, messages, reason) => void observed.push(`died ${messages}: ${reason}`),
  };
}

function recordingLogger(logged: string[]): Logger {
  const line = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: line, info: line, warn: line, error: line };
}
