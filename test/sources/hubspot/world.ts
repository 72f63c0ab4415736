/** HubSpot, prickle's ledger and what a destination has in the end, on one clock: companies that change while they are read. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NOBODY } from "../../../src/core/observer.ts";
import type { Run } from "../../../src/core/runs.ts";
import { openSqliteLedger } from "../../../src/ledger/sqlite/open.ts";
import { createIngest } from "../../../src/pipeline/ingest.ts";
import { type PullRowsOptions, pullRows } from "../../../src/pipeline/rows/pull-rows.ts";
import { syncRows } from "../../../src/pipeline/rows/sync-rows.ts";
import { createLogger } from "../../../src/platform/logger.ts";
import type { HubspotRowsOptions } from "../../../src/sources/hubspot/hubspot-rows.ts";
import { shippedMapping } from "../../core/mapping/shipped.ts";
import type { Groups } from "./companies.ts";
import { createHubspotRig, type HubspotRig } from "./rig.ts";

type Request = Pick<PullRowsOptions, "isFull" | "acceptsRemovals"> & Partial<Pick<HubspotRowsOptions, "fullBy">>;

export interface World extends AsyncDisposable {
  readonly rig: HubspotRig;
  /** Syncs, and delivers what came of it. `stopAfter`: so many requests, as if prickle was stopped then. */
  sync(request?: Request, stopAfter?: number): Promise<Run>;
  /** What was delivered: groups by key. */
  readonly groups: Groups;
  /** Group identifies delivered, and those that said nothing new. */
  readonly identifies: { all: number; idle: number };
  /** Who belongs to a group now. */
  members(groupKey: string): Promise<readonly string[]>;
}

const DAY_MS = 86_400_000;
const EVERY = { fullEveryMs: 7 * DAY_MS, removedEveryMs: 3_600_000 };
const SOURCE = "hubspot";
const WANTED = { required: ["name"], wished: ["external_id"], usual: ["domain", "seats"] };

export async function createWorld(options: Partial<HubspotRowsOptions> = {}): Promise<World> {
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
    async members(groupKey) {
      const known = await ledger.group({ groupType: "company", groupKey, limit: 1000 });
      return known?.members.filter(({ isMember }) => isMember).map(({ id }) => id) ?? [];
    },
    async sync({ fullBy, ...request } = {}, stopAfter = Number.POSITIVE_INFINITY) {
      const stop = new AbortController();
      const { settings } = rig.hubspot;
      const { interfere } = settings;
      let left = stopAfter;
      settings.interfere = (asked, count) => {
        left -= 1;
        if (left <= 0) stop.abort();
        return interfere(asked, count);
      };
      const rows = rig.open({ wanted: WANTED, ...options, ...(fullBy ? { fullBy } : {}) });
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
