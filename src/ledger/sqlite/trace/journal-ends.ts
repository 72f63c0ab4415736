/** Follows where the journal begins, and where it ends without a word: what happened just before may be missing. */

import type { TraceMemory } from "../../../core/trace.ts";
import { ENTRY_KINDS, type FileHead } from "./journal-block.ts";

export interface JournalEnds {
  /** A file begins; `isOpen`: it is being written, and ends where it ends. */
  file(head: FileHead, isOpen: boolean): void;
  entry(kind: number, at: number): void;
  known(): Omit<TraceMemory, "isOn">;
}

export function createJournalEnds(): JournalEnds {
  const gaps: { readonly from: number; readonly until: number | null }[] = [];
  let since: number | null = null;
  let lastAt = 0;
  let isEnded = true;
  let isBeingWritten = false;
  return {
    file({ begunAt, goesOn }, isOpen) {
      if (!goesOn && !isEnded) gaps.push({ from: lastAt, until: begunAt });
      since ??= begunAt;
      lastAt = begunAt;
      isEnded = false;
      isBeingWritten = isOpen;
    },
    entry(kind, at) {
      lastAt = at;
      isEnded = kind === ENTRY_KINDS.close;
    },
    known: () => ({ since, gaps: isEnded || isBeingWritten ? gaps : [...gaps, { from: lastAt, until: null }] }),
  };
}
