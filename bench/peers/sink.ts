/**
 * Stands for PostHog: takes batches by both protocols, unpacks, counts events and distinct uuids. `GET /` tells the counts.
 * With `later` it counts when the counts are asked for: what is measured is then who sends, not this. Bodies by v1 are
 * answered event by event, and so looked into at once.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

const { distinct = false, later = false }: { distinct?: boolean; later?: boolean } = JSON.parse(
  process.argv[2] ?? "{}",
);
const MARK = Buffer.from('"uuid":"');
const UUID_LENGTH = 36;

const uuids = new Set<string>();
let requests = 0;
let events = 0;

const kept: (Buffer | readonly string[])[] = [];

function uuidsIn(body: Buffer): readonly string[] {
  const found: string[] = [];
  for (let at = body.indexOf(MARK); at >= 0; at = body.indexOf(MARK, at + MARK.length + UUID_LENGTH)) {
    const from = at + MARK.length;
    found.push(body.toString("latin1", from, from + UUID_LENGTH));
  }
  return found;
}

function count(found: readonly string[]): void {
  requests += 1;
  events += found.length;
  if (distinct) for (const uuid of found) uuids.add(uuid);
}

/** By the first bytes. */
function unpack(wire: Buffer): Buffer {
  if (wire[0] === 0x1f && wire[1] === 0x8b) return gunzipSync(wire);
  return wire[0] === 0x28 && wire[1] === 0xb5 ? zstdDecompressSync(wire) : wire;
}

function resultsOf(found: readonly string[]): string {
  return `{"results":{${found.map((uuid) => `"${uuid}":{"result":"ok"}`).join(",")}}}`;
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    for (const one of kept.splice(0)) count(Buffer.isBuffer(one) ? uuidsIn(unpack(one)) : one);
    response.end(JSON.stringify({ requests, events, distinct: uuids.size }));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const isV1 = request.url?.startsWith("/i/v1/") === true;
    const found = isV1 || !later ? uuidsIn(unpack(body)) : null;
    if (later) kept.push(found ?? body);
    else count(found ?? []);
    const answer = isV1 ? resultsOf(found ?? []) : '{"status":1}';
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on("SIGTERM", () => process.exit(0));
