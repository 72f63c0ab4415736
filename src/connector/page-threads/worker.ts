/** A thread that reads pages of a file and maps them: it joins, like connector.ts, what that needs. */

import { parentPort, workerData } from "node:worker_threads";
import { compilePortable } from "../../core/mapping/portable.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";
import { createPreparer } from "../../pipeline/prepare.ts";
import { MAX_LINE_BYTES } from "../../sources/file/file-source.ts";
import { visitLines } from "../../sources/file/read-page.ts";
import type { RawPage } from "../../sources/file/slicer.ts";
import { readLoggedCall } from "../../sources/segment/raw-log.ts";
import { memoryOf, type PageReply, type PageRequest, type PageThreadOptions } from "./protocol.ts";

if (!parentPort) throw new Error("worker.ts is run as a worker thread by open.ts");
const port = parentPort;
const MOST_UNUSED = 4;

const { path, source, receivedAt, mapping, lanes }: PageThreadOptions = workerData;
const pool = createMemoryPool(MOST_UNUSED);
const preparer = createPreparer({ mapping: compilePortable(mapping), lanes }, pool);
const options = { path, source, receivedAt, readLine: readLoggedCall, maxLineBytes: MAX_LINE_BYTES };

port.on("message", (request: PageRequest) => {
  if ("page" in request) read(request.id, request.page);
  else for (const memory of request.released) pool.give(memory);
});

function read(id: number, page: RawPage): void {
  try {
    preparer.clear();
    visitLines(page, options, preparer.add);
    const prepared = preparer.take();
    const memory = page.bytes.buffer;
    reply({ id, prepared, memory }, [memory, ...memoryOf(prepared)]);
  } catch (thrown) {
    reply({ id, failure: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }, []);
  }
}

function reply(message: PageReply, transferred: ArrayBuffer[]): void {
  port.postMessage(message, transferred);
}
