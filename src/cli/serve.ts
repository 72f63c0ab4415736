/** `prickle serve`: opens the doors and feeds the destinations until it is told to stop. */

import { once } from "node:events";
import { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import { createLogger } from "../platform/logger.ts";
import { invocationOf, wholeNumber } from "./invocation.ts";
import { announceServer } from "./server-file.ts";
import { stopSignal } from "./stop-signal.ts";

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
}

export function serveCommand(): Command {
  return new Command("serve")
    .summary("take calls and deliver them until told to stop")
    .description(
      "Opens the webhook, the tracking API and the engine's API, and feeds the destinations. Logs are JSON lines on stderr.\n" +
        "SIGTERM or Ctrl-C: takes no more calls, finishes what is in flight and leaves within 10 seconds; once more: at once.\n" +
        "All other commands work meanwhile, through the server.",
    )
    .option("--host <address>", "address to listen on (default: server.host, 127.0.0.1)")
    .option("--port <port>", "port to listen on (default: server.port, 4700); 0: any free one", wholeNumber(0, 65_535))
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle serve\n  $ prickle serve --config /etc/prickle/prickle.yaml --port 8080\n" +
        '  $ curl -u any: http://127.0.0.1:4700/v1/track -H \'content-type: application/json\' -d \'{"userId":"u1","event":"Hello"}\'',
    )
    .action(async (_options, command: Command) => {
      const { configOptions, options } = invocationOf<ServeOptions>(command);
      const { host, port } = options;
      await serve(loadConfig({ ...configOptions, overrides: { ...configOptions.overrides, host, port } }));
    });
}

async function serve(config: Config): Promise<void> {
  const logger = createLogger(config.log.level);
  const stop = stopSignal(() => logger.info({}, "Stopping: no more calls are taken"));
  const { openConnector } = await import("../connector.ts");
  const connector = await openConnector(config, { logger });
  try {
    const { url, adminToken } = await connector.serve(config.server);
    await using _announced = await announceServer(config.dataDir, { url, token: adminToken });
    connector.startDelivery();
    connector.startSchedule();
    logger.info({ url, dataDir: config.dataDir, pid: process.pid }, "prickle takes calls");
    if (!stop.aborted) await once(stop, "abort");
  } finally {
    await connector.close();
  }
  logger.info({}, "Stopped");
}
