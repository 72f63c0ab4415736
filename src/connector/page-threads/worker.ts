/** A thread that reads pages of a file and maps them. */

import { parentPort, workerData } from "node:worker_threads";
import { createMemoryPool } from "../../core/memory-pool.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import { createPagePreparer } from "./prepare-page.ts";
import { memoryOf, type PageReply, type PageRequest } from "./protocol.ts";

if (!parentPort) throw new Error("worker.ts is run as a worker thread by open.ts");
const port = parentPort;
const MOST_UNUSED = 4;

const pool = createMemoryPool(MOST_UNUSED);
const prepare = createPagePreparer(workerData, pool);

port.on("message", (request: PageRequest) => {
  if ("end" in request) port.close();
  else if ("page" in request) read(request.id, request.page);
  else for (const memory of request.released) pool.give(memory);
});

function read(id: number, page: RawPage): void {
  try {
    const { prepared, skipped } = prepare(page);
    const memory = page.bytes.buffer;
    reply({ id, prepared, skipped, memory }, [memory, ...memoryOf(prepared)]);
  } catch (thrown) {
    reply({ id, failure: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }, []);
  }
}

function reply(message: PageReply, transferred: ArrayBuffer[]): void {
  port.postMessage(message, transferred);
}
