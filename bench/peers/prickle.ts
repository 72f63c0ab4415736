/** prickle as `prickle serve` runs it, on one source, feeding a sink or nobody. */

import { mkdirSync } from "node:fs";
import { createSecret } from "../../src/config/secret.ts";
import { parseConfig } from "../../src/config.ts";
import { openConnector } from "../../src/connector.ts";
import { emptyTally } from "../../src/core/attribution/step.ts";
import type { Ledger } from "../../src/core/ledger.ts";
import { openSqliteLedger, type SqliteLedgerOptions } from "../../src/ledger/sqlite/open.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { WRITE_KEY } from "../prickle.ts";

interface Input {
  readonly dataDir: string;
  readonly sinkUrl: string | null;
  readonly protocol: "v0" | "v1";
  readonly commit: boolean;
}

const { dataDir, sinkUrl, protocol, commit }: Input = JSON.parse(process.argv[2] ?? "{}");

mkdirSync(dataDir, { recursive: true });
const config = parseConfig(
  {
    dataDir,
    sources: { segment: { type: "segment", writeKeys: [WRITE_KEY] } },
    destinations: {
      posthog: {
        type: "posthog",
        host: sinkUrl ?? "http://127.0.0.1:9",
        token: createSecret("phc_bench"),
        protocol,
        messagesPerSecond: null,
        messagesPerDistinctIdPerSecond: null,
        // The sink counts what calls become.
        claimGroupTypes: false,
      },
    },
    ledger: { maxDepth: 100_000_000 },
  },
  { cwd: process.cwd() },
);
const connector = await openConnector(config, {
  logger: createLogger("warn"),
  openLedger: commit ? openSqliteLedger : openForgetfulLedger,
});
if (sinkUrl !== null) connector.startDelivery();
const { url } = await connector.serve({ host: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ url }));
process.once("SIGTERM", async () => {
  await connector.close();
  process.exit(0);
});

/** Takes every commit and keeps nothing of it. */
async function openForgetfulLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const ledger = await openSqliteLedger(options);
  return {
    ...ledger,
    commit: async ({ parcels }) => ({
      duplicates: [],
      committed: parcels.reduce((sum, { messages }) => sum + messages, 0),
      attribution: emptyTally(),
    }),
  };
}
