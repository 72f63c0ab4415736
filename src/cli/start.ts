/** `prickle start`: opens prickle on its embedded engine, plays the shipped sample through the real doors, shows what came of it. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { Command } from "commander";
import { type Config, createSecret, parseConfig } from "../config.ts";
import type { Connector } from "../connector.ts";
import { systemClock } from "../platform/clock.ts";
import { createLogger } from "../platform/logger.ts";
import { type Invocation, invocationOf, wholeNumber } from "./invocation.ts";
import type { SampleCredentials } from "./sample-shipment.ts";
import { showSample } from "./sample-show.ts";
import { announceServer } from "./server-file.ts";
import { stopSignal } from "./stop-signal.ts";

/** Not the directory of a configured prickle: the sample must never mix with somebody's own data. */
const DATA_DIR = ".prickle";
const DATA_DIR_BESIDE_CONFIG = ".prickle-sample";
const HOST = "127.0.0.1";
const DEFAULT_PORT = 4700;

interface StartOptions {
  readonly exit: boolean;
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
    .option("--port <port>", "port to listen on (default: 4700); when it is taken, a free one", wholeNumber(0, 65_535))
    .addHelpText("after", "\nExamples:\n  $ prickle start\n  $ prickle start --exit --json | jq .out")
    .action(async (_options, command: Command) => start(invocationOf<StartOptions>(command)));
}

async function start({ options, configOptions, answer }: Invocation<StartOptions>): Promise<void> {
  const { exit, port = DEFAULT_PORT } = options;
  const { cwd, overrides } = configOptions;
  const credentials = { source: "segment", writeKey: secret("wk_"), webhookSecret: secret("whs_") };
  const dataDir = overrides?.dataDir ?? (existsSync("prickle.yaml") ? DATA_DIR_BESIDE_CONFIG : DATA_DIR);
  const config = sampleConfig({ dataDir, port, cwd, credentials });
  const signal = stopSignal();
  const { openConnector } = await import("../connector.ts");
  const connector = await openConnector(config, { logger: createLogger("warn") });
  try {
    const { url, adminToken, busyPort } = await serve(connector, port);
    await using _announced = await announceServer(config.dataDir, { url, token: adminToken });
    connector.startDelivery();
    const { source, writeKey, webhookSecret } = credentials;
    const server = { url, busyPort, dataDir: relative(cwd, config.dataDir) || ".", source, writeKey };
    const { operations } = connector;
    const { runSample } = await import("./sample-run.ts");
    const report = await runSample({ operations, server, webhookSecret, clock: systemClock, signal });
    answer(report, (paint) => showSample(report, paint));
    if (!exit && !signal.aborted) await once(signal, "abort");
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    await connector.close();
  }
}

interface SampleSettings {
  readonly dataDir: string;
  readonly port: number;
  readonly cwd: string;
  readonly credentials: SampleCredentials;
}

/** One source with both doors guarded, and the embedded engine. */
function sampleConfig({ dataDir, port, cwd, credentials }: SampleSettings): Config {
  const { source, writeKey, webhookSecret } = credentials;
  const webhook = { secrets: [createSecret(webhookSecret)] };
  const sources = { [source]: { type: "segment" as const, writeKeys: [writeKey], webhook } };
  return parseConfig({ dataDir, server: { host: HOST, port }, sources }, { cwd });
}

type Served = Awaited<ReturnType<Connector["serve"]>> & { readonly busyPort: number | null };

/** On a free port when the one asked for is taken. */
async function serve(connector: Connector, port: number): Promise<Served> {
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

function secret(prefix: string): string {
  return prefix + randomBytes(12).toString("hex");
}
