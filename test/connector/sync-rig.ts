/** prickle in a directory of its own, with one source of rows, asked as a test says. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConfigInput, createSecret, parseConfig } from "../../src/config.ts";
import { type Connector, openConnector } from "../../src/connector.ts";
import type { Operations } from "../../src/core/operations.ts";
import type { RowSource } from "../../src/core/row-source.ts";
import { createLogger } from "../../src/platform/logger.ts";

type SourceInput = Extract<NonNullable<ConfigInput["sources"]>[string], { type: "hubspot" }>;

export interface SyncRig {
  operations(): Operations;
  connector(): Connector;
  serve(): Promise<{ readonly url: string; readonly adminToken: string }>;
  close(): Promise<void>;
  /** Anew, on the same directory. */
  open(more?: Partial<SourceInput>): Promise<void>;
  remove(): Promise<void>;
}

export async function createSyncRig(rows: RowSource): Promise<SyncRig> {
  const directory = await mkdtemp(join(tmpdir(), "prickle-sync-"));
  let connector = await openAgain({});

  function openAgain(more: Partial<SourceInput>): Promise<Connector> {
    const crm = { type: "hubspot" as const, accessToken: createSecret("pat-test"), ...more };
    const config = parseConfig({ dataDir: directory, sources: { crm } }, { cwd: directory });
    return openConnector(config, { logger: createLogger("silent"), openRows: async () => rows });
  }

  connector.startDelivery();
  return {
    operations: () => connector.operations,
    connector: () => connector,
    serve: () => connector.serve({ host: "127.0.0.1", port: 0 }),
    close: () => connector.close(),
    async open(more = {}) {
      await connector.close();
      connector = await openAgain(more);
      connector.startDelivery();
    },
    async remove() {
      await connector.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
