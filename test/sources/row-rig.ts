/** A source of rows through the loop into a real ledger by a shipped mapping, and what PostHog would hold of its groups. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/core/clock.ts";
import type { Mapping } from "../../src/core/mapping/mapping.ts";
import type { RowSource } from "../../src/core/row-source.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite/open.ts";
import { createIngest } from "../../src/pipeline/ingest.ts";
import { type PullRowsOptions, pullRows } from "../../src/pipeline/rows/pull-rows.ts";
import { syncRows } from "../../src/pipeline/rows/sync-rows.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { uuidIn } from "../fakes/outbox.ts";
import { createReceived, receive } from "../pipeline/attributed.ts";

export interface RowRig {
  /** Runs until the source has nothing more, or failed. */
  sync(rows: RowSource, options?: Partial<PullRowsOptions>, signal?: AbortSignal): ReturnType<typeof syncRows>;
  /** Group key → properties. */
  groups(): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>>;
  /** Messages delivered so far. */
  delivered(): Promise<number>;
  rejections(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const SOURCE = "crm";
const WEEK_MS = 7 * 86_400_000;

export async function openRowRig(mapping: Mapping, clock: Clock): Promise<RowRig> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-rows-"));
  const ledger = await openSqliteLedger({
    directory,
    destinations: ["engine"],
    maxDepth: 1_000_000,
    seenDays: 7,
    groupRules: { [SOURCE]: mapping.groupRules },
    clock,
    logger: createLogger("silent"),
  });
  const { observer } = createMetrics();
  const ingest = createIngest({ source: SOURCE, mapping, ledger, observer, clock, onCommitted: () => undefined });
  const received = createReceived();

  async function deliver(): Promise<void> {
    const request = { destination: "engine", maxMessages: 1000, maxBytes: 1e7, leaseMs: 60_000 };
    for (const service of ["live", "historical"] as const) {
      for (;;) {
        const claim = await ledger.claim({ ...request, service });
        if (!claim) break;
        for (const message of claim.messages) {
          receive(uuidIn(message), new TextDecoder().decode(message.body), received);
        }
        await ledger.settle(
          claim.id,
          claim.messages.map(() => ({ kind: "delivered" })),
        );
      }
    }
  }

  return {
    sync(rows, options = {}, signal = new AbortController().signal) {
      const every = { fullEveryMs: WEEK_MS, removedEveryMs: 0 };
      const pull = pullRows({ source: SOURCE, rows, memory: ledger, digest: "1", clock, ...every, ...options });
      const dependencies = { source: SOURCE, pull, ingest, ledger, clock, maxMessages: null, kind: "changes" } as const;
      return syncRows(dependencies, () => undefined, signal);
    },
    async groups() {
      await deliver();
      return new Map(
        [...received.groups].map(([name, properties]) => [
          name.replace("company/", ""),
          Object.fromEntries(properties),
        ]),
      );
    },
    async delivered() {
      await deliver();
      return received.messages.length;
    },
    rejections: async () => (await ledger.listRejections({ limit: 100 })).map(({ detail }) => detail),
    async close() {
      await ledger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
