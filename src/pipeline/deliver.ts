/** The one door out: claims from lanes, calls a destination, settles each message. */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { Destination, DestinationHealth } from "../core/destination.ts";
import { toPrickleError } from "../core/errors.ts";
import type { Claim, Ledger } from "../core/ledger.ts";
import { MAX_MESSAGE_BYTES } from "../core/message.ts";
import type { Logger, Observer } from "../core/observer.ts";
import { backoffMs, RETRY_HORIZON_MS } from "../core/retry.ts";
import { SERVICES, type Service } from "../core/service.ts";
import { createBell } from "./delivery-bell.ts";
import { createDeliverClaim } from "./delivery-claim.ts";
import { createDueTimes } from "./delivery-due.ts";
import { createPaces } from "./delivery-pace.ts";
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
  const paces = createPaces(limits, clock);
  const pressure = createPressure({ name, maxConcurrency: limits.concurrency, paces, clock, random, logger });
  const due = createDueTimes(position);
  const services = { live: serviceOf("live"), historical: serviceOf("historical") };
  /** Services that may have something due: it was not found out yet that they have not. */
  const hopeful = new Set<Service>(SERVICES);
  let ledgerFailures = 0;
  let running: Promise<void> | null = null;

  function serviceOf(service: Service) {
    const deliverClaim = createDeliverClaim({
      ...dependencies,
      leaseMs,
      retryHorizonMs: dependencies.retryHorizonMs ?? RETRY_HORIZON_MS,
      pace: paces[service],
      pressure,
      dueAt: due.lanes,
      stopped: aborting.signal,
    });
    const request = { destination: name, service, maxBytes: limits.maxBytes, leaseMs };
    return { deliverClaim, request, inFlight: new Set<Promise<void>>() };
  }

  const allInFlight = () => SERVICES.flatMap((service) => [...services[service].inFlight]);

  async function run(): Promise<void> {
    await due.look();
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
    const open = SERVICES.filter((service) => hopeful.has(service) && hasRoom(service));
    const askedAt = clock.now();
    const readyAt = Math.min(...open.map((service) => paces[service].readyAt()));
    // Nothing can be taken before, whoever rings.
    if (open.includes("live") && readyAt > askedAt) return clock.sleep(readyAt - askedAt, stopping.signal);
    for (const service of open) {
      if (paces[service].readyAt() <= askedAt && (await take(service))) return;
    }
    change.ring();
    await due.forgetDueBy(askedAt);
    await work.wait(untilNext(open), clock, stopping.signal);
    for (const service of SERVICES) hopeful.add(service);
  }

  /** One claim more than there are requests in flight, so that the next is at hand when one ends. */
  function hasRoom(service: Service): boolean {
    if (pressure.isProbing()) return allInFlight().length === 0;
    return services[service].inFlight.size <= Math.min(paces[service].concurrency, pressure.concurrency());
  }

  async function take(service: Service): Promise<boolean> {
    const maxMessages = pressure.isProbing() ? 1 : paces[service].maxMessages;
    const claim = await ledger.claim({ ...services[service].request, maxMessages });
    if (claim) {
      carry(service, claim);
      if (!isFull(claim, maxMessages)) paces[service].linger();
      return true;
    }
    hopeful.delete(service);
    // Most commits bring nothing for it: not each is worth a question.
    if (service === "historical") paces.historical.linger();
    return false;
  }

  function carry(service: Service, claim: Claim): void {
    const { deliverClaim, inFlight } = services[service];
    paces[service].count(claim.messages.length);
    for (const { lane } of claim.messages) due.lanes.delete(lane);
    // The next claim is asked for first: the ledger reads it while the requests of this one are built.
    const delivery = nextTurn()
      .then(() => deliverClaim(claim))
      .finally(() => {
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

  /** `open`: services that may be asked; those not ready yet are worth another look then. */
  function untilNext(open: readonly Service[]): number {
    let next = Math.min(due.next(), clock.now() + POLL_MS);
    for (const service of open) if (hopeful.has(service)) next = Math.min(next, paces[service].readyAt());
    return Math.max(0, next - clock.now());
  }

  async function position() {
    const { destinations } = await ledger.status();
    return destinations.find((one) => one.name === name);
  }

  async function isIdle(): Promise<boolean> {
    if (allInFlight().length > 0) return false;
    const mine = await position().catch(() => undefined);
    return mine !== undefined && mine.depth === 0 && allInFlight().length === 0;
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
      const ended = Promise.all([running]).then(() => Promise.all(allInFlight()));
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
