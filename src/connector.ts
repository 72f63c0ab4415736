/** The only file that joins the parts: opens what the configuration names, and closes it in the right order. */

import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config, DestinationConfig, SourceConfig } from "./config.ts";
import type { SourceIngests } from "./connector/backfill.ts";
import { requireDeclaredSlots, requireProjectSlots } from "./connector/group-slots.ts";
import { createIngests, createRehearsingIngests } from "./connector/ingests.ts";
import { createOperations, noSuchSource, requireSource } from "./connector/operations.ts";
import { createProjectApis, type ProjectApis } from "./connector/project-apis.ts";
import type { Project } from "./connector/projects.ts";
import { requireEngine } from "./connector/require-engine.ts";
import { createRowSourceOpener, type OpenRowSource } from "./connector/row-sources.ts";
import { createSyncs } from "./connector/syncs.ts";
import type { RulesBySource } from "./core/attribution/rules.ts";
import type { SharedKey } from "./core/attribution/step.ts";
import type { Clock } from "./core/clock.ts";
import type { Destination, DestinationHealth } from "./core/destination.ts";
import { PrickleError } from "./core/errors.ts";
import { createGroupMemory, type GroupMemory } from "./core/group-memory.ts";
import type { Ledger } from "./core/ledger.ts";
import { compileMapping } from "./core/mapping/compile.ts";
import type { Mapping } from "./core/mapping/mapping.ts";
import { type Logger, NOBODY, type Observer } from "./core/observer.ts";
import type { Operations } from "./core/operations.ts";
import type { PushDoor } from "./core/source.ts";
import { createConsoleDestination, writeTo } from "./destinations/console.ts";
import { createEngineDestination } from "./destinations/engine.ts";
import { createPosthogDestination } from "./destinations/posthog/posthog.ts";
import type { ProjectApi } from "./destinations/posthog/private-api/client.ts";
import { createPropertyRemover, type PropertyRemover } from "./destinations/posthog/property-removal.ts";
import { type Engine, openEngine } from "./engine/open.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "./ledger/sqlite/open.ts";
import { createDelivery } from "./pipeline/deliver.ts";
import { createTakeIn } from "./pipeline/take-in.ts";
import { systemClock } from "./platform/clock.ts";
import type { Metrics } from "./platform/metrics.ts";
import { VERSION } from "./platform/version.ts";
import type { Doors, RunningServer } from "./server/server.ts";
import { createTrackingDoor } from "./sources/segment/tracking-door.ts";
import { createWebhookDoor } from "./sources/segment/webhook-door.ts";

export interface Connector {
  /** What an operator can ask. */
  readonly operations: Operations;
  /** Opens the HTTP doors. `adminToken` opens the operations behind them. Port 0: any that is free. */
  serve(address: { readonly host: string; readonly port: number }): Promise<{ url: string; adminToken: string }>;
  /** Starts to feed the destinations. */
  startDelivery(): void;
  /** Starts to sync sources when they are due. */
  startSchedule(): void;
  /**
   * Closes the doors, lets what is in flight finish, for at most `graceMs`, then closes all files. What was not
   * delivered stays in the ledger. Idempotent.
   */
  close(graceMs?: number): Promise<void>;
}

export interface ConnectorDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  /** Whether PostHog is asked for its group types, where there is a personal key: not worth it without delivery. Default: yes. */
  readonly asksProjects?: boolean;
  /** Whether what goes on is counted, for `/metrics`: not worth it without doors. Default: yes. */
  readonly counts?: boolean;
  /** What keeps the outbox: SQLite, unless another is given. */
  readonly openLedger?: (options: SqliteLedgerOptions) => Promise<Ledger>;
  /** How sources that hold rows are asked: as the configuration says, unless otherwise. */
  readonly openRows?: OpenRowSource;
}

const SHARED_KEY =
  "Two group types have a group of one key: PostHog may take the properties of one for those of the other";
const PRUNE_EVERY_MS = 3_600_000;
/** Both halves of it, the doors' and the deliveries', fit into the ten seconds a service manager is told to wait. */
const CLOSE_GRACE_MS = 3_500;

/** @throws CONFIG_INVALID, MAPPING_INVALID, LEDGER_LOCKED, LEDGER_TOO_NEW, LEDGER_FULL, LEDGER_UNAVAILABLE, ENGINE_UNAVAILABLE */
export async function openConnector(
  config: Config,
  {
    logger,
    clock = systemClock,
    random = Math.random,
    asksProjects = true,
    counts = true,
    openLedger = openSqliteLedger,
    openRows = createRowSourceOpener({ clock, random, dataDir: config.dataDir }),
  }: ConnectorDependencies,
): Promise<Connector> {
  const mappings = compileMappings(config.sources);
  const projects = asksProjects ? await requireProjectSlots(config, logger) : [];
  const groupTypes = declaredTypes(mappings);
  const { observer, expose } = counts ? await openMetrics() : UNCOUNTED;
  await using opening = new AsyncDisposableStack();
  const groupRules = Object.fromEntries([...mappings].map(([source, mapping]) => [source, mapping.groupRules]));
  const stores = { logger, clock, openLedger, groupTypes, groupRules };
  const { ledger, engine } = await openStores(config, opening, stores);
  const projectApiOf = createProjectApis(clock.now);
  const deliveries = config.destinations.map((settings) => {
    const destination = openDestination(settings, { engine, clock, groupTypes, projects, projectApiOf });
    opening.defer(() => destination.close());
    return createDelivery({ ...config.delivery, ledger, destination, observer, logger, clock, random });
  });
  const health = () => (isDelivering ? deliveries.map((delivery) => delivery.health()) : []);
  let isDelivering = false;
  const onCommitted = () => {
    for (const delivery of deliveries) delivery.wake();
  };
  const groups = await rememberGroups(mappings, ledger);
  const onSharedKey = (shared: SharedKey) => logger.warn(shared, SHARED_KEY);
  const ingests = createIngests(mappings, { groups, ledger, observer, clock, onCommitted, onSharedKey });
  const rehearse = createRehearsingIngests(mappings, { groups, clock });
  opening.defer(startPruning(ledger, logger));

  const stopping = new AbortController();
  const syncs = createSyncs({
    sources: config.sources,
    ledger,
    ingestOf: (source) => requireSource(ingests, source).everything,
    rehearsingIngestOf: (source, rehearsed) => rehearse(source, rehearsed).everything,
    open: openRows,
    clock,
    random,
    logger,
    stopping: stopping.signal,
  });
  opening.defer(() => syncs.close());
  const operations = createOperations({
    ledger,
    engine,
    ingests,
    syncs,
    rehearse,
    groups,
    sources: config.sources,
    destinations: config.destinations,
    projectApiOf,
    clock,
    random,
    onCommitted,
    health,
    stopping: stopping.signal,
  });
  const looks = { status: ledger.status, sources: syncs.sources, health };
  const metrics = () => expose(looks, clock.now());
  const doors = createDoors(config, { ledger, engine, ingests, observer, logger, metrics, health });
  const adminToken = config.server.adminToken?.reveal() ?? randomBytes(24).toString("base64url");
  const parts = opening.move();
  let server: RunningServer | null = null;
  let closing: Promise<void> | null = null;

  async function close(graceMs: number): Promise<void> {
    stopping.abort();
    await Promise.all([server?.close(graceMs), syncs.close()]);
    await Promise.all(deliveries.map((delivery) => delivery.stop(graceMs)));
    await parts.disposeAsync();
  }

  return {
    operations,
    async serve(address) {
      const { startServer } = await import("./server/server.ts");
      server = await startServer({ doors, operations, adminToken, version: VERSION, logger, clock }, address);
      return { url: server.url, adminToken };
    },
    startDelivery() {
      isDelivering = true;
      for (const delivery of deliveries) delivery.start();
    },
    startSchedule: syncs.startSchedule,
    close(graceMs = CLOSE_GRACE_MS) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

/** Loaded where they are read: they take a tenth of what a command takes to start. */
async function openMetrics(): Promise<Metrics> {
  const { createMetrics } = await import("./platform/metrics.ts");
  return createMetrics();
}

const UNCOUNTED: Metrics = { observer: NOBODY, expose: async () => ({ contentType: "text/plain", body: "" }) };

interface StoreDependencies extends Required<Pick<ConnectorDependencies, "logger" | "clock" | "openLedger">> {
  readonly groupTypes: readonly string[];
  readonly groupRules: RulesBySource;
}

async function openStores(
  { dataDir, destinations, ledger: limits }: Config,
  opening: AsyncDisposableStack,
  { logger, clock, openLedger, groupTypes, groupRules }: StoreDependencies,
): Promise<{ ledger: Ledger; engine: Engine | null }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new PrickleError("LEDGER_UNAVAILABLE", `${dataDir}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: "Name a data directory that can be written with --data-dir.",
      cause,
    });
  });
  const names = destinations.map(({ name }) => name);
  const kept = { directory: dataDir, destinations: names, ...limits };
  const ledger = await openLedger({ ...kept, groupRules, clock, logger });
  opening.defer(() => ledger.close());
  if (!destinations.some(({ type }) => type === "engine")) return { ledger, engine: null };
  const engine = await openEngine({ path: join(dataDir, "engine.duckdb"), groupTypes, logger });
  opening.defer(() => engine.close());
  return { ledger, engine };
}

/** By name of the source. @throws MAPPING_INVALID, CONFIG_INVALID when their group types together do not fit. */
function compileMappings(sources: readonly SourceConfig[]): ReadonlyMap<string, Mapping> {
  const mappings = new Map(sources.map(({ name, mapping }) => [name, compileMapping(mapping)]));
  requireDeclaredSlots(sources);
  return mappings;
}

/** Of all mappings, in their order, each once. */
function declaredTypes(mappings: ReadonlyMap<string, Mapping>): readonly string[] {
  return [...new Set([...mappings.values()].flatMap(({ groupTypes }) => groupTypes))];
}

/** What any mapping asks for by `@group`, as it was known when prickle ended. */
async function rememberGroups(mappings: ReadonlyMap<string, Mapping>, ledger: Ledger): Promise<GroupMemory> {
  const memory = createGroupMemory([...mappings.values()].flatMap(({ groupReads }) => groupReads));
  if (memory.groupTypes.size > 0) memory.load(await ledger.groups([...memory.groupTypes]));
  return memory;
}

interface DestinationParts {
  readonly engine: Engine | null;
  readonly clock: Clock;
  readonly groupTypes: readonly string[];
  readonly projects: readonly Project[];
  readonly projectApiOf: ProjectApis;
}

function openDestination(settings: DestinationConfig, parts: DestinationParts): Destination {
  const { engine, clock, projectApiOf } = parts;
  const { name } = settings;
  switch (settings.type) {
    case "engine":
      return createEngineDestination({ name, append: (bodies) => requireEngine(engine).append(bodies, clock.now()) });
    case "console":
      return createConsoleDestination({ name, write: writeTo(process.stdout) });
    case "posthog":
      return createPosthogDestination({
        ...settings,
        token: settings.token.reveal(),
        remover: removerOf(projectApiOf(settings), clock),
        claimedGroupTypes: settings.claimGroupTypes ? typesToClaim(settings.name, parts) : [],
        version: VERSION,
        clock,
      });
  }
}

function removerOf(api: ProjectApi | null, { now }: Clock): PropertyRemover | null {
  return api && createPropertyRemover(api, now);
}

/** None where all are known to have their index already. */
function typesToClaim(destination: string, { groupTypes, projects }: DestinationParts): readonly string[] {
  const known = projects.find((project) => project.destination === destination)?.groupTypes ?? [];
  return groupTypes.every((one) => known.some(({ groupType }) => groupType === one)) ? [] : groupTypes;
}

function startPruning(ledger: Ledger, logger: Logger): () => void {
  const timer = setInterval(() => {
    ledger.prune().catch((thrown) => logger.warn({ err: thrown }, "Seen ids could not be pruned; trying again later"));
  }, PRUNE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

interface DoorParts {
  readonly ledger: Ledger;
  readonly engine: Engine | null;
  readonly ingests: ReadonlyMap<string, SourceIngests>;
  readonly observer: Observer;
  readonly logger: Logger;
  readonly metrics: Doors["metrics"];
  readonly health: () => readonly DestinationHealth[];
}

function createDoors(config: Config, parts: DoorParts): Doors {
  const { ledger, engine, ingests, observer, logger, metrics, health } = parts;
  const { sources, destinations } = config;
  const engineName = destinations.find(({ type }) => type === "engine")?.name ?? "engine";
  const webhooks = new Map<string, PushDoor>();
  const called = sources.flatMap((source) => (source.type === "segment" ? [source] : []));
  for (const { name, webhook } of called) {
    if (!webhook) continue;
    const secrets = webhook.secrets.map((secret) => secret.reveal());
    webhooks.set(name, createWebhookDoor({ source: name, secrets, bearer: webhook.bearer?.reveal() ?? null }));
  }
  const trackingDoor = createTrackingDoor({
    sources: called.map(({ name, writeKeys, anyWriteKey }) => ({
      name,
      writeKeys: writeKeys.map((key) => key.reveal()),
      anyWriteKey,
    })),
  });
  const takeIn = createTakeIn((source) => requireSource(ingests, source).everything);
  return {
    webhook: async (source, request) => {
      const door = webhooks.get(source);
      if (!door) throw noSuchSource(source, [...webhooks.keys()]);
      return takeIn(door, request);
    },
    tracking: (request) => takeIn(trackingDoor, request),
    capture: async (bodies, arrivedAt) => {
      const outcomes = await requireEngine(engine).append(bodies, arrivedAt);
      // By protocol v0 the client is told that all is well, as PostHog does: what is dropped is for the operator to see.
      for (const outcome of outcomes) {
        if (outcome.kind === "delivered" && outcome.code) observer.noted(engineName, 1, outcome.code);
        if (outcome.kind !== "dead") continue;
        observer.died(engineName, 1, outcome.reason, outcome.code ?? "other");
        logger.warn({ reason: outcome.reason }, "An event of a PostHog client was dropped");
      }
      return outcomes;
    },
    metrics,
    ready: async () => {
      const [{ depth }] = await Promise.all([ledger.status(), engine?.groupTypes()]);
      if (depth < config.ledger.maxDepth) return heldBack(health());
      throw new PrickleError("LEDGER_FULL", `The outbox holds ${depth} messages, as many as it may.`);
    },
  };
}

/** Calls are taken all the same: nothing is lost while a destination takes nothing. */
function heldBack(health: readonly DestinationHealth[]): readonly string[] {
  return health.flatMap(({ name, state, reason }) => (state === "up" ? [] : [`${name} is ${state}: ${reason}`]));
}
