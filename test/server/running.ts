/** prickle as it runs, on a free port and in a directory of its own, and the ways to knock at its doors. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { vi } from "vitest";
import { type ConfigInput, createSecret, parseConfig } from "../../src/config.ts";
import { openConnector } from "../../src/connector.ts";
import type { Logger } from "../../src/core/observer.ts";
import type { Operations } from "../../src/core/operations.ts";

export const WRITE_KEY = "wk_main";

export interface Running {
  readonly url: string;
  readonly adminToken: string;
  readonly dataDir: string;
  readonly operations: Operations;
  /** What was logged as an error since the last time: a door that failed is one. */
  errors(): readonly string[];
  /** Resolves when every destination has everything. */
  drained(): Promise<void>;
  /** The value of a metric, labels included in its name; 0 while it is not there. */
  metric(name: string): Promise<number>;
  stop(graceMs?: number): Promise<void>;
  /** Stops, and removes the directory. */
  remove(): Promise<void>;
}

export interface RunningOptions {
  /** Default: one of its own. */
  readonly dataDir?: string;
  readonly deliver?: boolean;
}

const SOURCES: ConfigInput["sources"] = {
  main: { type: "segment", writeKeys: [WRITE_KEY], webhook: { secrets: [createSecret("s3cr3t")] } },
};

/** Without `config` one source, `main`, and the engine. */
export async function startRunning(
  config: ConfigInput = {},
  { dataDir, deliver = true }: RunningOptions = {},
): Promise<Running> {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), "prickle-server-")));
  const errors: string[] = [];
  const parsed = parseConfig({ sources: SOURCES, ...config, dataDir: directory }, { cwd: directory });
  const connector = await openConnector(parsed, { logger: loggerInto(errors) });
  const { url, adminToken } = await connector.serve({ host: "127.0.0.1", port: 0 });
  if (deliver) connector.startDelivery();
  const { operations } = connector;
  return {
    url,
    adminToken,
    dataDir: directory,
    operations,
    errors: () => errors.splice(0),
    drained: () => vi.waitUntil(async () => (await operations.status()).depth === 0, PATIENCE).then(() => undefined),
    metric: async (name) => metricOf(await (await fetch(`${url}/metrics`)).text(), name),
    stop: (graceMs) => connector.close(graceMs),
    async remove() {
      await connector.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const PATIENCE = { timeout: 10_000, interval: 10 };

function loggerInto(errors: string[]): Logger {
  const quiet = () => undefined;
  const error = (fields: object, message: string) => {
    const thrown = "err" in fields && fields.err instanceof Error ? `: ${fields.err.stack}` : "";
    errors.push(message + thrown);
  };
  return { debug: quiet, info: quiet, warn: quiet, error };
}

export function metricOf(page: string, name: string): number {
  const line = page.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Text and bytes are sent as they are, anything else as JSON. */
export async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(url, { method: "POST", headers, body: bytes as RequestInit["body"] & {} });
  return { status: response.status, headers: response.headers, text: await response.text() } satisfies Answer;
}

export function basic(user: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
}

export const WITH_KEY = { ...basic(`${WRITE_KEY}:`), "content-type": "application/json" };

export interface RawOptions {
  /** Between two chunks. */
  readonly pauseMs?: number;
  /** Half-closes once this long nothing has come back after the last chunk; null: never. */
  readonly lingerMs?: number | null;
}

export interface Exchange {
  /** All that came back, a character a byte. */
  readonly received: string;
  readonly sentBytes: number;
}

/** Writes the chunks as they are into a socket, no faster than they are taken, until the far side closes it. */
export async function exchange(
  url: string,
  chunks: Iterable<string | Uint8Array>,
  { pauseMs = 0, lingerMs = null }: RawOptions = {},
): Promise<Exchange> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  let received = "";
  socket.on("data", (data) => {
    received += data.toString("latin1");
  });
  socket.on("end", () => socket.end());
  socket.on("error", () => socket.destroy()); // To be reset while we still write is an answer too.
  for (const chunk of chunks) {
    if (!socket.writable) break;
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain").catch(() => undefined), closed]);
    if (pauseMs > 0) await delay(pauseMs);
  }
  if (lingerMs !== null) socket.setTimeout(lingerMs, () => socket.end());
  await closed;
  return { received, sentBytes: socket.bytesWritten };
}

/** Of all answers in what came back. */
export function statusesOf(received: string): readonly number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** As bytes of HTTP/1.1; `headers` lines without their end. */
export function rawPost(path: string, body: string | Uint8Array, headers: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body as Uint8Array); // Buffer.from takes either.
  const length = headers.some((line) => /^(content-length|transfer-encoding)/i.test(line))
    ? []
    : [`Content-Length: ${bytes.length}`];
  const head = [`POST ${path} HTTP/1.1`, "Host: prickle", ...length, ...headers].join("\r\n");
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), bytes]);
}
