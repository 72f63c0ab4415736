/** The ledger's worker: takes all that has been asked since it last looked, and carries it out with one flush. */

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { failureOf } from "./failures.ts";
import type { Reply, Request } from "./protocol.ts";
import { openStore, type Store } from "./store.ts";

if (!parentPort) throw new Error("worker.ts is run as a worker thread by open.ts");
const port = parentPort;
/** More than the callers ever have under way: only a bound. */
const MOST_AT_ONCE = 256;

let store: Store | null = null;

function reply(message: Reply): void {
  const hasBytes =
    message.ok && typeof message.gives === "object" && message.gives !== null && "bytes" in message.gives;
  port.postMessage(message, hasBytes ? [message.gives.bytes.buffer] : []);
}

function open(id: number): void {
  try {
    store = openStore(workerData);
    reply({ id, ok: true, gives: { lanes: store.lanes } });
  } catch (thrown) {
    reply({ id, ok: false, failure: failureOf(thrown, workerData.directory) });
  }
}

port.on("message", (first: Request) => {
  if (first.kind === "open") return open(first.id);
  const requests: Request[] = [first];
  while (requests.length < MOST_AT_ONCE) {
    const next: { message: Request } | undefined = receiveMessageOnPort(port);
    if (!next) break;
    requests.push(next.message);
  }
  const answers = store?.carryOut(requests) ?? [];
  const isLast = requests.some(({ kind }) => kind === "close");
  // Who hears that it is closed may end this thread, which must not be in the middle of it then.
  if (isLast) store?.close();
  for (const answer of answers) reply(answer);
  if (isLast) port.close();
});
