/** HubSpot, prickle's ledger and what a destination has in the end, on one clock: companies that change while they are read. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Observer } from "../../../src/core/observer.ts";
import type { Run } from "../../../src/core/runs.ts";
import { openSqliteLedger } from "../../../src/ledger/sqlite/open.ts";
import { createIngest } from "../../../src/pipeline/ingest.ts";
import { type PullRowsOptions, pullRows } from "../../../src/pipeline/rows/pull-rows.ts";
import { syncRows } from "../../../src/pipeline/rows/sync-rows.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import { shippedMapping } from "../../core/mapping/shipped.ts";
import type { HubspotStore, StoredCompany } from "../../fakes/hubspot/store.ts";
import { createHubspotRig, type HubspotRig } from "./rig.ts";

type Groups = ReadonlyMap<string, Readonly<Record<string, unknown>>>;
type Request = Pick<PullRowsOptions, "isFull" | "acceptsRemovals">;

export interface World extends AsyncDisposable {
  readonly rig: HubspotRig;
  /** Syncs, and delivers what came of it. `stopAfter`: so many requests, as if prickle was stopped then. */
  sync(request?: Request, stopAfter?: number): Promise<Run>;
  /** What was delivered: groups by key. */
  readonly groups: Groups;
  /** Group identifies delivered, and those that said nothing new. */
  readonly identifies: { all: number; idle: number };
}

const DAY_MS = 86_400_000;
const EVERY = { fullEveryMs: 7 * DAY_MS, removedEveryMs: 3_600_000 };
const SOURCE = "hubspot";
const WANTED = { required: ["name"], wished: ["external_id"], usual: ["domain", "seats"] };

export async function createWorld(): Promise<World> {
  const rig = await createHubspotRig();
  const { clock } = rig;
  const directory = await mkdtemp(join(tmpdir(), "prickle-hubspot-"));
  const mapping = shippedMapping("hubspot");
  const ledger = await openSqliteLedger({
    directory,
    destinations: ["groups"],
    maxDepth: 10_000_000,
    seenDays: 7,
    groupRules: { [SOURCE]: mapping.groupRules },
    clock,
    logger: createLogger("silent"),
  });
  const ingest = createIngest({
    source: SOURCE,
    mapping,
    ledger,
    observer: NOBODY,
    clock,
    onCommitted: () => undefined,
  });
  const groups = new Map<string, Record<string, unknown>>();
  const identifies = { all: 0, idle: 0 };

  function receive(body: Uint8Array): void {
    const { event, properties } = JSON.parse(Buffer.from(body).toString());
    if (event !== "$groupidentify") throw new RangeError(`no ${event} is expected`);
    const { $group_key: key, $group_set: set } = properties;
    const before = groups.get(key) ?? {};
    const after = { ...before, ...set };
    identifies.all += 1;
    if (JSON.stringify(after) === JSON.stringify(before)) identifies.idle += 1;
    groups.set(key, after);
  }

  async function deliver(): Promise<void> {
    for (;;) {
      const claim = await ledger.claim({
        destination: "groups",
        service: "live",
        maxMessages: 5000,
        maxBytes: 1 << 26,
        leaseMs: DAY_MS,
      });
      if (!claim) return;
      for (const { body } of claim.messages) receive(body);
      await ledger.settle(
        claim.id,
        claim.messages.map(() => ({ kind: "delivered" })),
      );
    }
  }

  return {
    rig,
    groups,
    identifies,
    async sync(request = {}, stopAfter = Number.POSITIVE_INFINITY) {
      const stop = new AbortController();
      const { settings } = rig.hubspot;
      const { interfere } = settings;
      let left = stopAfter;
      settings.interfere = (asked, count) => {
        left -= 1;
        if (left <= 0) stop.abort();
        return interfere(asked, count);
      };
      const rows = rig.open({ wanted: WANTED });
      const pull = pullRows({ source: SOURCE, rows, memory: ledger, digest: "m1", clock, ...EVERY, ...request });
      const kind = request.isFull ? "full" : "changes";
      const parts = { source: SOURCE, pull, ingest, ledger, clock, maxMessages: null, kind } as const;
      const { run, failure } = await syncRows(parts, () => undefined, stop.signal);
      settings.interfere = interfere;
      await rows.close();
      await deliver();
      if (failure) throw failure;
      return run;
    },
    async [Symbol.asyncDispose]() {
      await ledger.close();
      await rig[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What the group of a company has to say. */
function truthOf({ id, properties, archivedAt }: StoredCompany): Readonly<Record<string, unknown>> {
  const { name, seats } = properties;
  return { name, seats: Number(seats), hubspot_id: id, crm_deleted: archivedAt !== null };
}

/** What differs of at most some groups, in few words. */
export function differencesOf({ rig, groups }: World): readonly string[] {
  const { store } = rig.hubspot;
  const found = [...store.live(), ...store.archived()].flatMap((company) => {
    const group = groups.get(keyOf(company)) ?? {};
    // Of a company that was archived before it was ever read nobody has to know.
    if (company.archivedAt !== null && group.name === undefined) return [];
    const truth = company.archivedAt === null ? truthOf(company) : { crm_deleted: true };
    const shown = Object.fromEntries(Object.keys(truth).map((name) => [name, group[name]]));
    const [is, shouldBe] = [JSON.stringify(shown), JSON.stringify(truth)];
    return is === shouldBe ? [] : [`${keyOf(company)}: ${is} instead of ${shouldBe}`];
  });
  return found.slice(0, 5);
}

/** The key that a company with a key of its own has; null: it is known under HubSpot's id. */
export function keyOf({ id, properties }: StoredCompany): string {
  return properties.external_id || `hubspot:${id}`;
}

export interface Actions {
  /** One of them, by a number in [0, 1). */
  act(which: number, where: number): void;
  /** Companies that were merged away, by the key of their group. */
  readonly merged: Map<string, string>;
  readonly erased: Set<string>;
}

export type Action = "edit" | "recalculate" | "create" | "archive" | "restore" | "erase" | "merge";

export function createActions(store: HubspotStore, allowed: readonly Action[]): Actions {
  const merged = new Map<string, string>();
  const erased = new Set<string>();
  let names = 0;
  const pick = <Item>(items: readonly Item[], where: number) => items[Math.floor(where * items.length)];
  const next = () => {
    names += 1;
    return { name: `Name ${names}`, seats: String(names) };
  };

  function act(which: number, where: number): void {
    const live = store.live();
    const one = pick(live, where);
    const other = pick(live, (where + 0.37) % 1);
    switch (pick(allowed, which)) {
      case "create":
        addCompany(store, next());
        return;
      case "edit":
        if (one) store.edit(one.id, next());
        return;
      case "recalculate":
        if (one) store.recalculate(one.id, { seats: next().seats });
        return;
      case "archive":
        if (one && live.length > 50) store.archive(one.id);
        return;
      case "restore": {
        const away = pick(store.archived(), where);
        if (away) store.restore(away.id);
        return;
      }
      case "erase":
        if (!one || live.length <= 50) return;
        erased.add(keyOf(one));
        store.erase(one.id);
        return;
      case "merge": {
        if (!one || !other || one === other || live.length <= 50) return;
        const id = store.merge(one.id, other.id);
        for (const gone of [one, other]) merged.set(keyOf(gone), id);
      }
    }
  }
  return { act, merged, erased };
}

let accounts = 0;

/** Every fifth is not known in the product. */
export function addCompany(
  store: HubspotStore,
  { name, seats }: { readonly name: string; readonly seats: string },
): void {
  accounts += 1;
  store.create({ name, seats, ...(accounts % 5 === 0 ? {} : { external_id: `account-${accounts}` }) });
}

const NOBODY: Observer = {
  received: () => undefined,
  rejected: () => undefined,
  duplicated: () => undefined,
  committed: () => undefined,
  delivered: () => undefined,
  retried: () => undefined,
  died: () => undefined,
  noted: () => undefined,
};
