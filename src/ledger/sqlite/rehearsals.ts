/** Rehearsals under way: commits that are carried out over what is known, and kept nowhere. */

import { PrickleError } from "../../core/errors.ts";
import { createRehearsal, type Rehearsal, type RehearsalOptions, type RehearsalSummary } from "../../core/rehearsal.ts";
import { readGroup } from "./group-bytes.ts";
import type { GroupReply } from "./protocol.ts";

export interface Rehearsals {
  /** Gives its number. */
  begin(now: number): number;
  add(rehearsal: number, bytes: Uint8Array<ArrayBuffer>): GroupReply;
  summary(rehearsal: number): RehearsalSummary;
  end(rehearsal: number): void;
}

/** Of those whose caller went away without a word. */
const MOST = 8;

export function createRehearsals(options: Omit<RehearsalOptions, "now">): Rehearsals {
  const rehearsals = new Map<number, Rehearsal>();
  let next = 1;
  const of = (number: number): Rehearsal => {
    const rehearsal = rehearsals.get(number);
    if (rehearsal) return rehearsal;
    throw new PrickleError("LEDGER_UNAVAILABLE", "The dry run was given up: too many were begun after it.");
  };
  return {
    begin(now) {
      rehearsals.set(next, createRehearsal({ ...options, now }));
      const [oldest] = rehearsals.keys();
      if (rehearsals.size > MOST && oldest !== undefined) rehearsals.delete(oldest);
      return next++;
    },
    add(number, bytes) {
      const rehearsal = of(number);
      const group = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const replies = readGroup(group).map(({ rejections, ...commit }) =>
        rehearsal.add({ ...commit, bytes: group, rejections: rejections === null ? [] : JSON.parse(rejections) }),
      );
      return { replies, bytes };
    },
    summary: (number) => of(number).summary(),
    end: (number) => void rehearsals.delete(number),
  };
}
