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
/** A batch in one piece, as a rule. */
const IN_ONE = { chunkSize: 2 * 1024 * 1024 };
const RESULTS = Buffer.from('{"results":{');
const QUOTE = Buffer.from('"');
const OK = Buffer.from('":{"result":"ok"},');
const RESULT_BYTES = QUOTE.length + UUID_LENGTH + OK.length;

const uuids = new Set<string>();
let requests = 0;
let events = 0;

/** Bodies, packed, or places of uuids in bytes. */
const kept: (Buffer | UuidPlaces)[] = [];

interface UuidPlaces {
  readonly bytes: Buffer;
  readonly places: readonly number[];
}

function uuidsIn(bytes: Buffer): UuidPlaces {
  const places: number[] = [];
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + MARK.length + UUID_LENGTH)) {
    places.push(at + MARK.length);
  }
  return { bytes, places };
}

function count({ bytes, places }: UuidPlaces): void {
  requests += 1;
  events += places.length;
  if (distinct) for (const at of places) uuids.add(bytes.toString("latin1", at, at + UUID_LENGTH));
}

/** By the first bytes. */
function unpack(wire: Buffer): Buffer {
  if (wire[0] === 0x1f && wire[1] === 0x8b) return gunzipSync(wire, IN_ONE);
  return wire[0] === 0x28 && wire[1] === 0xb5 ? zstdDecompressSync(wire, IN_ONE) : wire;
}

/** What v1 answers when it stored all, and where in it the uuids are. */
function resultsOf({ bytes, places }: UuidPlaces): UuidPlaces {
  const answer = Buffer.allocUnsafe(RESULTS.length + places.length * RESULT_BYTES + 2);
  let end = RESULTS.copy(answer);
  const found: number[] = [];
  for (const at of places) {
    end += QUOTE.copy(answer, end);
    found.push(end);
    end += bytes.copy(answer, end, at, at + UUID_LENGTH);
    end += OK.copy(answer, end);
  }
  // Over the last comma.
  answer.write("}}", places.length === 0 ? end : end - 1);
  return { bytes: answer.subarray(0, places.length === 0 ? end + 2 : end + 1), places: found };
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
    response.writeHead(200, { "content-type": "application/json" });
    if (request.url?.startsWith("/i/v1/")) {
      const results = resultsOf(uuidsIn(unpack(body)));
      response.end(results.bytes);
      if (later) kept.push(results);
      else count(results);
    } else {
      response.end('{"status":1}');
      if (later) kept.push(body);
      else count(uuidsIn(unpack(body)));
    }
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on("SIGTERM", () => process.exit(0));
