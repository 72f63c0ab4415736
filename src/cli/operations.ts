/** Gives a command the operations of the data directory: of the running server if there is one, else opened here. */

import { existsSync } from "node:fs";
import { type ConfigOptions, loadConfig, peekConfig, withMappingSource } from "../config.ts";
import { PrickleError } from "../core/errors.ts";
import type { MappingSource } from "../core/mapping/compile.ts";
import type { Operations } from "../core/operations.ts";
import { findServer } from "./server-file.ts";

export interface OperationsOptions {
  /** Feed the destinations while the command runs, where no server does. Default: no. */
  readonly deliver?: boolean;
  /** Begin a data directory that is not there. Default: no. */
  readonly create?: boolean;
  /** A mapping that reads as if there were a source of its name. Default: none. A running server has to have the source. */
  readonly mapping?: MappingSource | null;
}

/**
 * A running server needs neither its secrets here nor a valid configuration; without one both are needed.
 * @throws CONFIG_INVALID, NOT_FOUND without a data directory, SERVER_UNREACHABLE, LEDGER_LOCKED, and what `work` throws
 */
export async function withOperations<Result>(
  configOptions: ConfigOptions,
  { deliver = false, create = false, mapping = null }: OperationsOptions,
  work: (operations: Operations) => Promise<Result>,
): Promise<Result> {
  const { dataDir } = peekConfig(configOptions);
  const server = await findServer(dataDir);
  if (server) {
    const { connectOperations } = await import("../server/admin-client.ts");
    return work(connectOperations(server));
  }
  const loaded = loadConfig(configOptions);
  const config = mapping ? withMappingSource(loaded, mapping) : loaded;
  if (!create && !existsSync(dataDir)) throw noData(dataDir);
  // All there is: what a server answers, or needs none, starts without it in a third of the time.
  const { openConnector } = await import("../connector.ts");
  const { createLogger } = await import("../platform/logger.ts");
  const connector = await openConnector(config, { logger: createLogger("warn"), asksProjects: deliver, counts: false });
  try {
    if (deliver) connector.startDelivery();
    return await work(connector.operations);
  } finally {
    await connector.close();
  }
}

function noData(dataDir: string): PrickleError {
  return new PrickleError("NOT_FOUND", `There is no data directory ${dataDir}.`, {
    hint: "`prickle serve` or `prickle backfill FILE` makes one; --data-dir names another.",
  });
}
