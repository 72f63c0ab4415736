/**
 * Stands for PostHog: takes batches by both protocols, counts events and distinct uuids. `GET /` tells the counts. With
 * `later` it keeps bodies packed, and counts when the counts are asked for: what is measured is then who sends, not this.
 * Bodies by v1 are answered event by event, and so unpacked at once, too.
 */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

const { distinct = false, later = false }: { distinct?: boolean; later?: boolean } = JSON.parse(
  process.argv[2] ?? "{}",
);
const MARK = Buffer.from('"uuid":"');
const UUID_LENGTH = 36;
/** What a thousand events of 1 KB come to, in one piece. */
const IN_ONE = { chunkSize: 1024 * 1024 };
const HEAD = '{"results":{';
/** What v1 says of an event it stored; the zeros are for its uuid. */
const RESULT = `"${"0".repeat(UUID_LENGTH)}":{"result":"ok"}`;

const uuids = new Set<string>();
let requests = 0;
let events = 0;
/** Bodies, packed. */
const kept: Buffer[] = [];
/** What v1 answers to as many events as came last. */
let results = resultsOf(0);

/** Where they are in a body. */
function uuidsIn(bytes: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length + UUID_LENGTH)) {
    places.push(at + MARK.length);
  }
  return places;
}

function count(bytes: Buffer): void {
  const places = uuidsIn(bytes);
  requests += 1;
  events += places.length;
  if (distinct) for (const at of places) uuids.add(bytes.toString("latin1", at, at + UUID_LENGTH));
}

/** By the first bytes. */
function unpack(wire: Buffer): Buffer {
  if (wire[0] === 0x1f && wire[1] === 0x8b) return gunzipSync(wire, IN_ONE);
  return wire[0] === 0x28 && wire[1] === 0xb5 ? zstdDecompressSync(wire, IN_ONE) : wire;
}

function resultsOf(count: number): { readonly count: number; readonly bytes: Buffer } {
  return { count, bytes: Buffer.from(`${HEAD}${new Array(count).fill(RESULT).join()}}}`) };
}

function answerByV1(bytes: Buffer): Buffer {
  const places = uuidsIn(bytes);
  if (places.length !== results.count) results = resultsOf(places.length);
  const answer = Buffer.from(results.bytes);
  let to = HEAD.length + 1;
  for (const at of places) {
    bytes.copy(answer, to, at, at + UUID_LENGTH);
    to += RESULT.length + 1;
  }
  return answer;
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    for (const body of kept.splice(0)) count(unpack(body));
    response.end(JSON.stringify({ requests, events, distinct: uuids.size }));
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(request.url?.startsWith("/i/v1/") ? answerByV1(unpack(body)) : '{"status":1}');
    if (later) kept.push(body);
    else count(unpack(body));
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on("SIGTERM", () => process.exit(0));
