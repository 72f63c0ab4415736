/**
 * Stands for PostHog: takes `POST /batch/`, gunzips, counts events and distinct uuids. `GET /` tells the counts. With `later`
 * bodies are only kept, and looked into when the counts are asked for: what is measured is then who sends, not this.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

const { distinct = false, later = false }: { distinct?: boolean; later?: boolean } = JSON.parse(
  process.argv[2] ?? "{}",
);
const MARK = Buffer.from('"uuid":"');
const UUID_LENGTH = 36;

const uuids = new Set<string>();
let requests = 0;
let events = 0;

const kept: Buffer[] = [];

function take(wire: Buffer): void {
  const body = wire[0] === 0x1f && wire[1] === 0x8b ? gunzipSync(wire) : wire;
  requests += 1;
  for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + MARK.length)) {
    events += 1;
    const from = at + MARK.length;
    if (distinct) uuids.add(body.toString("latin1", from, from + UUID_LENGTH));
  }
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    for (const body of kept.splice(0)) take(body);
    response.end(JSON.stringify({ requests, events, distinct: uuids.size }));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (later) kept.push(body);
    else take(body);
    response.writeHead(200, { "content-type": "application/json" }).end('{"status":1}');
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on("SIGTERM", () => process.exit(0));
