/** The one door out: claims from lanes, calls a destination, settles each message. */

import type { Clock } from "../core/clock.ts";
import type { Destination, DestinationHealth } from "../core/destination.ts";
import { toPrickleError } from "../core/errors.ts";
import type { Claim, Ledger } from "../core/ledger.ts";
import { MAX_MESSAGE_BYTES } from "../core/message.ts";
import type { Logger, Observer } from "../core/observer.ts";
import { backoffMs, RETRY_HORIZON_MS } from "../core/retry.ts";
import { createBell } from "./delivery-bell.ts";
import { createDeliverClaim } from "./delivery-claim.ts";
import { createPace } from "./delivery-pace.ts";
import { createPressure } from "./delivery-pressure.ts";

export interface DeliveryDependencies {
  readonly ledger: Pick<Ledger, "claim" | "settle" | "status">;
  readonly destination: Destination;
  readonly observer: Observer;
  readonly logger: Logger;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  /** How long a claim may take; a delivery is called off at four fifths of it. */
  readonly leaseMs?: number;
  /** For how long a message that fails on its own, while others are delivered, is tried. */
  readonly retryHorizonMs?: number;
}

/** Feeds one destination from the outbox. Never throws and never leaves a promise rejected: failures are logged. */
export interface Delivery {
  start(): void;
  /** To be called after each commit, and after dead letters were replayed. Cheap. */
  wake(): void;
  health(): DestinationHealth;
  /** Resolves when nothing waits for this destination, when it was stopped, or when `signal` aborts. */
  idle(signal?: AbortSignal): Promise<void>;
  /** Stops claiming and waits for what is in flight; after `graceMs` calls it off. What is not settled stays in the outbox. Idempotent. */
  stop(graceMs: number): Promise<void>;
}

const DEFAULT_LEASE_MS = 120_000;
/** Between looks at the outbox when nobody rang: for lanes whose lease ran out, and for calls to `wake` forgotten. */
const POLL_MS = 5_000;
/** What a delivery called off at the end of its grace gets to say so. */
const LAST_WORD_MS = 1_000;

export function createDelivery(dependencies: DeliveryDependencies): Delivery {
  const { ledger, destination, logger, clock, random } = dependencies;
  const { name, limits } = destination;
  const leaseMs = dependencies.leaseMs ?? DEFAULT_LEASE_MS;
  const stopping = new AbortController();
  const aborting = new AbortController();
  const work = createBell();
  const change = createBell();
  const pace = createPace(limits, clock);
  const pressure = createPressure({ name, maxConcurrency: limits.concurrency, pace, clock, random, logger });
  const dueAt = new Map<number, number>();
  /** When the first of the lanes is due that an earlier process left to wait; which it is the ledger does not say. */
  let lookAgainAt = Number.POSITIVE_INFINITY;
  const deliverClaim = createDeliverClaim({
    ...dependencies,
    leaseMs,
    retryHorizonMs: dependencies.retryHorizonMs ?? RETRY_HORIZON_MS,
    pace,
    pressure,
    dueAt,
    stopped: aborting.signal,
  });
  const mostMessages = () => (pressure.isProbing() ? 1 : pace.maxMessages);
  const inFlight = new Set<Promise<void>>();
  let ledgerFailures = 0;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    await lookForLanesDueLater();
    while (!stopping.signal.aborted) {
      try {
        await step();
        ledgerFailures = 0;
      } catch (thrown) {
        ledgerFailures += 1;
        logger.error({ destination: name, error: toPrickleError(thrown) }, "The outbox cannot be read; trying again");
        await clock.sleep(backoffMs(ledgerFailures, random()), stopping.signal);
      }
    }
  }

  async function step(): Promise<void> {
    work.clear();
    if (isBusy()) return work.wait(POLL_MS, clock, stopping.signal);
    await pace.ready(stopping.signal);
    if (stopping.signal.aborted) return;
    const askedAt = clock.now();
    const maxMessages = mostMessages();
    const claim = await ledger.claim({ destination: name, maxMessages, maxBytes: limits.maxBytes, leaseMs });
    if (claim) {
      carry(claim);
      if (!isFull(claim, maxMessages)) await clock.sleep(limits.lingerMs, stopping.signal);
    } else {
      change.ring();
      await forgetDueBy(askedAt);
      await work.wait(untilNextDue(), clock, stopping.signal);
    }
  }

  /** One claim more than there are requests in flight is taken, so that the next is at hand when one ends. */
  function isBusy(): boolean {
    return pressure.isProbing() ? inFlight.size > 0 : inFlight.size > pressure.concurrency();
  }

  /** Nothing was to be had then: to wait for those times would be to ask without a pause. */
  async function forgetDueBy(at: number): Promise<void> {
    for (const [lane, laneDueAt] of dueAt) if (laneDueAt <= at) dueAt.delete(lane);
    if (lookAgainAt <= at) await lookForLanesDueLater();
    if (lookAgainAt <= at) lookAgainAt = Number.POSITIVE_INFINITY;
  }

  function carry(claim: Claim): void {
    pace.count(claim.messages.length);
    for (const { lane } of claim.messages) dueAt.delete(lane);
    const delivery = deliverClaim(claim).finally(() => {
      inFlight.delete(delivery);
      work.ring();
      change.ring();
    });
    inFlight.add(delivery);
  }

  function isFull({ messages }: Claim, maxMessages: number): boolean {
    if (messages.length >= maxMessages) return true;
    let bytes = MAX_MESSAGE_BYTES;
    for (const { body } of messages) bytes += body.byteLength;
    return bytes > limits.maxBytes;
  }

  function untilNextDue(): number {
    let next = Math.min(lookAgainAt, clock.now() + POLL_MS);
    for (const at of dueAt.values()) next = Math.min(next, at);
    return Math.max(0, next - clock.now());
  }

  /** Lanes an earlier process left to wait. */
  async function lookForLanesDueLater(): Promise<void> {
    const mine = await position().catch(() => undefined);
    lookAgainAt = mine?.nextDueAt ?? Number.POSITIVE_INFINITY;
  }

  async function position() {
    const { destinations } = await ledger.status();
    return destinations.find((one) => one.name === name);
  }

  async function isIdle(): Promise<boolean> {
    if (inFlight.size > 0) return false;
    const mine = await position().catch(() => undefined);
    return mine !== undefined && mine.depth === 0 && inFlight.size === 0;
  }

  return {
    start() {
      running ??= run();
    },

    wake() {
      work.ring();
    },

    health: () => ({ ...pressure.health(), protocol: destination.protocol?.() ?? null }),

    async idle(signal) {
      while (!signal?.aborted && !stopping.signal.aborted) {
        change.clear();
        if (await isIdle()) return;
        await change.wait(POLL_MS, clock, signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal);
      }
    },

    async stop(graceMs) {
      stopping.abort();
      const ended = Promise.all([running]).then(() => Promise.all(inFlight));
      await within(graceMs, ended);
      aborting.abort();
      await within(LAST_WORD_MS, ended);
    },
  };

  async function within(ms: number, ended: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    await Promise.race([ended, clock.sleep(ms, over.signal)]);
    over.abort();
  }
}
