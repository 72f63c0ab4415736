/** The engine's worker thread: takes requests in order and answers each. Appends that wait together share a transaction. */

import { parentPort, workerData } from "node:worker_threads";
import { PrickleError } from "../core/errors.ts";
import { statementFailure } from "./failures.ts";
import type { NumberedRequest, PackedBatch, Reply, RequestKind, Requests, StoreOptions } from "./protocol.ts";
import { openStore, type Store } from "./store.ts";

const MAX_SHARED_BYTES = 8_000_000;

type AppendRequest = Extract<NumberedRequest, { kind: "append" }>;

// Only worker-client.ts starts this file, with these.
const options = workerData as StoreOptions;
const queue: NumberedRequest[] = [];
let store: Store | null = null;
let isBusy = false;

parentPort?.on("message", (request: NumberedRequest) => {
  queue.push(request);
  if (!isBusy) void drain();
});

async function drain(): Promise<void> {
  isBusy = true;
  for (let request = queue.shift(); request; request = queue.shift()) {
    if (request.kind === "append") await appendTogether([request, ...waitingAppends(request.asks)]);
    else await answer([request], () => ask(request));
  }
  isBusy = false;
}

/** Those right behind, so that no question overtakes. */
function waitingAppends({ bytes }: PackedBatch): readonly AppendRequest[] {
  const together: AppendRequest[] = [];
  let size = bytes.byteLength;
  for (let next = queue[0]; next?.kind === "append"; next = queue[0]) {
    size += next.asks.bytes.byteLength;
    if (size > MAX_SHARED_BYTES) break;
    together.push(next);
    queue.shift();
  }
  return together;
}

function appendTogether(requests: readonly AppendRequest[]): Promise<void> {
  return answer(requests, async () => (await opened()).append(requests.map(({ asks }) => asks)));
}

async function ask(
  request: Exclude<NumberedRequest, AppendRequest>,
): Promise<readonly Requests[RequestKind]["gives"][]> {
  switch (request.kind) {
    case "groupTypes":
      return [await (await opened()).groupTypes()];
    case "groups":
      return [await (await opened()).groups(request.asks)];
    case "trends":
      return [await (await opened()).trends(request.asks)];
    case "close":
      await letGo();
      return [null];
  }
}

/** `work` gives one result for each request; if it fails, they fail alike. */
async function answer(
  requests: readonly NumberedRequest[],
  work: () => Promise<readonly Requests[RequestKind]["gives"][]>,
): Promise<void> {
  try {
    const results = await work();
    for (const [index, { id }] of requests.entries()) reply({ id, ok: true, gives: results[index] ?? null });
  } catch (thrown) {
    const { code, message, hint } = statementFailure(thrown, options.path);
    // After a failed write DuckDB may refuse everything: the next request opens the file anew. Memory cannot be opened anew.
    if (!(thrown instanceof PrickleError) && options.path !== ":memory:") await letGo();
    for (const { id } of requests) reply({ id, ok: false, failure: { code, message, hint } });
  }
}

async function opened(): Promise<Store> {
  store ??= await openStore(options);
  return store;
}

async function letGo(): Promise<void> {
  const closing = store;
  store = null;
  await closing?.close();
}

function reply(message: Reply): void {
  parentPort?.postMessage(message);
}
