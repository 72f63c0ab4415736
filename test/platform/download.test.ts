import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { download } from "../../src/platform/download.ts";
import { createPassingClock, type PassingClock } from "../fakes/clock.ts";

const CONTENT = Buffer.alloc(300_000, "content ");
const never = new AbortController().signal;

let server: Server;
let directory: string;
let clock: PassingClock;
let asked: string[];
let answer: (response: ServerResponse, count: number) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "prickle-download-"));
  clock = createPassingClock();
  asked = [];
  answer = (response) => response.end(CONTENT);
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    answer(response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const path = () => join(directory, "file");
let taken = 0;
function fetchFile(signal = never, more: { readonly path?: string } = {}) {
  const { port } = server.address() as AddressInfo; // Of a server that listens on a port.
  const parts = { peer: "HubSpot", clock, random: () => 0.5, timeoutMs: 2000, path: path(), ...more };
  return download(
    {
      ...parts,
      url: `http://127.0.0.1:${port}/first`,
      async take() {
        taken += 1;
      },
      headers: async (url) => (url.pathname === "/first" ? { authorization: "key" } : {}),
    },
    signal,
  );
}

it("writes what it is given, and says what it wrote", async () => {
  const sha256 = createHash("sha256").update(CONTENT).digest("hex");
  expect(await fetchFile()).toEqual({ kind: "file", sha256 });
  expect(readFileSync(path())).toEqual(CONTENT);
  expect(readdirSync(directory)).toEqual(["file"]);
});

it("begins again, after a pause, where a connection ended too early or the host failed", async () => {
  answer = (response, count) => {
    if (count === 3) return void response.end(CONTENT);
    if (count === 2) return void response.writeHead(503, { "retry-after": "7" }).end();
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 100_000), () => response.destroy());
  };
  const before = taken;
  expect(await fetchFile()).toMatchObject({ kind: "file" });
  expect(readFileSync(path())).toEqual(CONTENT);
  expect(taken - before).toBe(3);
  expect(clock.pauses.at(-1)).toBe(7000);
});

it("gives up after a while, and leaves nothing", async () => {
  answer = (response) => void response.writeHead(500).end();
  await expect(fetchFile()).rejects.toMatchObject({
    code: "SOURCE_UNAVAILABLE",
    message: expect.stringContaining("500"),
  });
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.length).toBeLessThan(50);
  expect(readdirSync(directory)).toEqual([]);
});

it("says of an address that is not good that it is refused, and asks no more", async () => {
  answer = (response) => void response.writeHead(403).end("expired");
  expect(await fetchFile()).toEqual({ kind: "refused", status: 403 });
  expect(asked).toHaveLength(1);
});

it("goes where it is sent, with the headers that are meant for there, but not for ever", async () => {
  answer = (response, count) => {
    if (count === 1) response.writeHead(307, { location: "/second" }).end();
    else response.end(CONTENT);
  };
  expect(await fetchFile()).toMatchObject({ kind: "file" });
  expect(asked).toEqual(["/first key", "/second -"]);
  answer = (response) => void response.writeHead(307, { location: "/second" }).end();
  expect(await fetchFile()).toEqual({ kind: "refused", status: 307 });
});

it("says so where it cannot write", async () => {
  await writeFile(path(), "no folder");
  const failure = fetchFile(never, { path: join(path(), "file") });
  await expect(failure).rejects.toMatchObject({ code: "LEDGER_FULL", message: expect.stringContaining("ENOTDIR") });
  expect(asked).toHaveLength(1);
});

it("stops when it is told to, in the middle of a file too, and leaves nothing", async () => {
  const stop = new AbortController();
  answer = (response) => {
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 100_000), () => stop.abort());
  };
  await expect(fetchFile(stop.signal)).rejects.toMatchObject({ code: "STOPPING" });
  expect(existsSync(path())).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});
