/**
 * Gathers commits into groups, each stored with one flush: those of one turn of the event loop, and those that come
 * while earlier groups are on their way. Nobody waits for longer than the groups before and their own.
 */

import { PrickleError } from "../../core/errors.ts";
import type { Commit, CommitResult } from "../../core/ledger.ts";
import { commitBytes, createGroupPacker } from "./group-bytes.ts";
import type { CommitReply, GroupReply } from "./protocol.ts";

/** One being flushed, one being made ready. */
const GROUPS_UNDER_WAY = 2;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

interface Caller {
  resolve(result: CommitResult): void;
  reject(thrown: unknown): void;
}

interface Waiting extends Caller {
  readonly commit: Commit;
  readonly bytes: number;
}

export function createGroupCommit(
  store: (bytes: Uint8Array<ArrayBuffer>) => Promise<GroupReply>,
): (commit: Commit) => Promise<CommitResult> {
  const packer = createGroupPacker();
  let queue: Waiting[] = [];
  let underWay = 0;
  let isScheduled = false;

  function sendSoon(): void {
    if (isScheduled || underWay >= GROUPS_UNDER_WAY || queue.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      while (queue.length > 0 && underWay < GROUPS_UNDER_WAY) void send(takeGroup());
    });
  }

  function takeGroup(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > MAX_GROUP_BYTES) break;
      count += 1;
    }
    const group = queue.slice(0, count);
    queue = queue.slice(count);
    return group;
  }

  async function send(group: readonly Waiting[]): Promise<void> {
    underWay += 1;
    const callers = group.map(({ resolve, reject }) => ({ resolve, reject }));
    try {
      // The commits themselves are needed no more once they are packed: only who asked.
      const { replies, bytes } = await store(packer.pack(group.map(({ commit }) => commit)));
      packer.reuse(bytes);
      for (const [index, caller] of callers.entries()) answer(caller, replies[index]);
    } catch (thrown) {
      for (const { reject } of callers) reject(thrown);
    } finally {
      underWay -= 1;
      sendSoon();
    }
  }

  return (commit) =>
    new Promise((resolve, reject) => {
      queue.push({ commit, bytes: commitBytes(commit), resolve, reject });
      sendSoon();
    });
}

function answer({ resolve, reject }: Caller, reply: CommitReply | undefined): void {
  if (reply && "committed" in reply) {
    resolve(reply);
    return;
  }
  const { code, message, hint, retryAfterMs } = reply ?? { code: "INTERNAL", message: "a commit without a reply" };
  reject(
    new PrickleError(code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }),
  );
}
