/** `prickle start`: opens prickle on its embedded engine, plays the shipped sample through the real doors, shows what came of it. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Command } from "commander";
import { type Config, createSecret, parseConfig } from "../config.ts";
import { type Connector, openConnector } from "../connector.ts";
import { systemClock } from "../platform/clock.ts";
import { createLogger } from "../platform/logger.ts";
import type { SampleReport } from "./sample-report.ts";
import { runSample } from "./sample-run.ts";
import { showSample } from "./sample-show.ts";

/** Not the directory of a configured prickle: the sample must never mix with somebody's own data. */
const DATA_DIR = ".prickle";
const DATA_DIR_BESIDE_CONFIG = ".prickle-sample";
const HOST = "127.0.0.1";
const DEFAULT_PORT = 4700;

interface StartOptions {
  readonly exit: boolean;
  readonly json: boolean;
  readonly dataDir?: string;
  readonly port?: number;
}

export function startCommand(): Command {
  return new Command("start")
    .summary("play the shipped sample on the embedded engine and show what comes of it")
    .description(
      "Opens prickle on its embedded engine, plays ninety days of an invented company's Segment calls through the real\n" +
        "HTTP doors, shows what came of it, and keeps serving until Ctrl-C. Needs no account, no network, no prickle.yaml;\n" +
        "where there is one, the sample is kept apart from your data, in .prickle-sample.",
    )
    .option("--exit", "leave when everything is delivered and shown", false)
    .option("--json", "print one JSON object instead of the page", false)
    .option("--data-dir <dir>", "where to keep the sample's ledger and engine")
    .option("--port <port>", "port to listen on; when it is taken, a free one", Number)
    .addHelpText("after", "\nExamples:\n  $ prickle start\n  $ prickle start --exit --json | jq .out")
    .action(async (_options, command: Command) => start(command.optsWithGlobals<StartOptions>()));
}

async function start(options: StartOptions): Promise<void> {
  const { exit, json, port = DEFAULT_PORT } = options;
  const dataDir = options.dataDir ?? (existsSync("prickle.yaml") ? DATA_DIR_BESIDE_CONFIG : DATA_DIR);
  const credentials = { source: "segment", writeKey: secret("wk_"), webhookSecret: secret("whs_") };
  const { source, writeKey, webhookSecret } = credentials;
  const signal = stopSignal();
  const connector = await openConnector(sampleConfig(dataDir, port, credentials), { logger: createLogger("warn") });
  try {
    const { operations } = connector;
    const server = { ...(await serve(connector, port)), dataDir, source, writeKey };
    connector.startDelivery();
    print(await runSample({ operations, server, webhookSecret, clock: systemClock, signal }), json);
    if (!exit && !signal.aborted) await once(signal, "abort");
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    await connector.close();
  }
}

/** One source with both doors guarded, and the embedded engine. */
function sampleConfig(
  dataDir: string,
  port: number,
  { source, writeKey, webhookSecret }: { source: string; writeKey: string; webhookSecret: string },
): Config {
  const segment = {
    type: "segment" as const,
    writeKeys: [writeKey],
    webhook: { secrets: [createSecret(webhookSecret)] },
  };
  const input = { dataDir, server: { host: HOST, port }, sources: { [source]: segment } };
  return parseConfig(input, { cwd: process.cwd() });
}

function print(report: SampleReport, json: boolean): void {
  const text = json ? `${JSON.stringify(report)}\n` : showSample(report, { colors: process.stdout.isTTY === true });
  process.stdout.write(text);
}

/** On a free port when the one asked for is taken. */
async function serve(connector: Connector, port: number): Promise<{ url: string; busyPort: number | null }> {
  try {
    return { ...(await connector.serve({ host: HOST, port })), busyPort: null };
  } catch (thrown) {
    if (!isPortTaken(thrown)) throw thrown;
    return { ...(await connector.serve({ host: HOST, port: 0 })), busyPort: port };
  }
}

function isPortTaken(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return ("code" in thrown && thrown.code === "EADDRINUSE") || isPortTaken(thrown.cause);
}

/** Aborts at the first Ctrl-C; the second ends the process as usual. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  return stop.signal;
}

function secret(prefix: string): string {
  return prefix + randomBytes(12).toString("hex");
}
