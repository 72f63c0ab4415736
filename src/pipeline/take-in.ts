/**
 * Takes requests in, all those of one turn of the event loop together: read, mapped and committed as one. A call that
 * comes alone costs half as much in company, since each step then finds what it needs at hand.
 */

import { rejectionBytes } from "../core/kept-rejection.ts";
import type { Prepared, PushDoor, PushIntake, PushRequest } from "../core/source.ts";
import type { Ingest } from "./ingest.ts";
import { joinPrepared } from "./prepare.ts";

/** Resolves when everything the request brought is on disk. Rejects with what the door, `ingestOf` and `commit` throw. */
export type TakeIn = (door: PushDoor, request: PushRequest) => Promise<void>;

/** What is committed together, in bytes of messages and rejections; a single larger request is committed alone. */
const MOST_TOGETHER_BYTES = 1024 * 1024;

interface Waiting {
  readonly door: PushDoor;
  readonly request: PushRequest;
  resolve(): void;
  reject(thrown: unknown): void;
}

/** What goes into one commit, and who waits for it. */
interface Load {
  readonly ingest: Ingest;
  readonly prepared: Prepared[];
  readonly callers: Waiting[];
  bytes: number;
}

/** `ingestOf` gives the ingest of a source, or throws. */
export function createTakeIn(ingestOf: (source: string) => Ingest): TakeIn {
  let waiting: Waiting[] = [];

  function takeTurn(): void {
    const turn = waiting;
    waiting = [];
    const read = turn.flatMap((caller) => readRequest(caller));
    const open = new Map<string, Load>();
    for (const [caller, intake] of read) {
      try {
        const load = add(open.get(intake.source) ?? newLoad(ingestOf(intake.source)), caller, intake);
        if (load.bytes < MOST_TOGETHER_BYTES) open.set(intake.source, load);
        else {
          open.delete(intake.source);
          commit(load);
        }
      } catch (thrown) {
        caller.reject(thrown);
      }
    }
    for (const load of open.values()) commit(load);
  }

  return (door, request) =>
    new Promise((resolve, reject) => {
      waiting.push({ door, request, resolve, reject });
      if (waiting.length === 1) setImmediate(takeTurn);
    });
}

/** None, and the caller told, when its door does not take the request. */
function readRequest(caller: Waiting): readonly (readonly [Waiting, PushIntake])[] {
  try {
    return [[caller, caller.door(caller.request)]];
  } catch (thrown) {
    caller.reject(thrown);
    return [];
  }
}

function newLoad(ingest: Ingest): Load {
  return { ingest, prepared: [], callers: [], bytes: 0 };
}

function add(load: Load, caller: Waiting, intake: PushIntake): Load {
  const prepared = load.ingest.prepare(intake);
  load.prepared.push(prepared);
  load.callers.push(caller);
  for (const { contents } of prepared.parcels) load.bytes += contents.length;
  for (const rejection of prepared.rejections) load.bytes += rejectionBytes(rejection);
  return load;
}

function commit({ ingest, prepared, callers }: Load): void {
  ingest.commit(joinPrepared(prepared)).then(
    () => {
      for (const { resolve } of callers) resolve();
    },
    (thrown: unknown) => {
      for (const { reject } of callers) reject(thrown);
    },
  );
}
