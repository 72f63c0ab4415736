/** How far a sync is: one line that changes in a terminal, a line every few seconds elsewhere. */

import cliProgress from "cli-progress";
import type { Run } from "../core/runs.ts";
import { count } from "./show-table.ts";

export interface SyncProgress {
  observe(run: Run): void;
  done(): void;
}

const LINE_EVERY_MS = 5_000;

export function createSyncProgress(stream: NodeJS.WriteStream, now: () => number): SyncProgress {
  return stream.isTTY ? lineThatChanges(stream) : lineNowAndThen(stream, now);
}

export function syncLine({ kind, read, changed, removed, messages, requests }: Run): string {
  return (
    `${KINDS[kind]}: ${count(read)} rows read, ${count(changed)} say something new, ${count(removed)} gone · ` +
    `${count(messages)} messages, ${count(requests)} requests`
  );
}

const KINDS = { full: "all rows", changes: "what changed" } as const;

/** How many rows there are is not known: a bar would say nothing. */
function lineThatChanges(stream: NodeJS.WriteStream): SyncProgress {
  const bar = new cliProgress.SingleBar({ stream, hideCursor: true, clearOnComplete: true, format: "{line}", fps: 8 });
  let started = false;
  return {
    observe(run) {
      if (!started) bar.start(1, 0, { line: "" });
      started = true;
      bar.update(0, { line: syncLine(run) });
    },
    done: () => bar.stop(),
  };
}

function lineNowAndThen(stream: NodeJS.WriteStream, now: () => number): SyncProgress {
  let writtenAt = now();
  return {
    observe(run) {
      if (now() - writtenAt < LINE_EVERY_MS) return;
      writtenAt = now();
      stream.write(`${syncLine(run)}\n`);
    },
    done: () => undefined,
  };
}
