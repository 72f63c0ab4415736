/** Looks through the journal for records and messages, and for what became of them. Beside the ledger's thread, not in it. */

import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TraceQuery } from "../../../core/trace.ts";
import { readCommits } from "./commit-entry.ts";
import { createFindings, type Finding } from "./findings.ts";
import { blocksIn, ENTRY_KINDS, entriesIn, type FoundEntry, readFileHead } from "./journal-block.ts";
import { createJournalEnds, type JournalEnds } from "./journal-ends.ts";
import type { JournalFile } from "./journal-files.ts";
import { createNeedles } from "./needles.ts";
import { readForget, readReplay, readSettle } from "./settle-entry.ts";

export interface Scanned extends ReturnType<JournalEnds["known"]> {
  readonly records: readonly Finding[];
}

/** Looked through in one turn of the event loop: some milliseconds. */
const TURN_BYTES = 512 * 1024;

export async function scanJournal(files: readonly JournalFile[], { id }: TraceQuery): Promise<Scanned> {
  const needles = createNeedles();
  const findings = createFindings(id, needles);
  const ends = createJournalEnds();

  function take(block: Buffer, { kind, at, start, from, end }: FoundEntry): void {
    ends.entry(kind, at);
    if (kind === ENTRY_KINDS.settle) {
      if (findings.hasMessages()) findings.settled(readSettle(block, from), at);
      return;
    }
    if (!needles.isBetween(start, end)) return;
    if (kind === ENTRY_KINDS.commit) findings.committed(readCommits(block, from), at);
    else if (kind === ENTRY_KINDS.replay) findings.replayed(readReplay(block, from), at);
    else if (kind === ENTRY_KINDS.forget) findings.forgotten(readForget(block, from), at);
  }

  let inTurn = 0;
  for (const { path, isOpen } of files) {
    const bytes = await readFile(path).catch(() => null); // Deleted meanwhile: it was the oldest.
    const head = bytes && readFileHead(bytes);
    if (!bytes || !head) continue;
    ends.file(head, isOpen);
    for (const block of blocksIn(bytes)) {
      inTurn += block.length;
      if (inTurn > TURN_BYTES) {
        await nextTurn();
        inTurn = 0;
      }
      needles.begin(block);
      for (const entry of entriesIn(block)) take(block, entry);
    }
  }
  return { records: findings.records, ...ends.known() };
}
