/** Gathers what becomes of the records of a transaction, and hands it to the journal. */

import type { AttributionTrace, Became } from "../../../core/attribution/step.ts";
import { type MessagePlace, messagesIn } from "../../../core/parcel.ts";
import { uuidOf } from "../../../core/uuid.ts";
import {
  type JournaledCommit,
  type JournaledOutput,
  type OutputDetail,
  writeCommits,
  writeMessageOutput,
  writeOutput,
} from "./commit-entry.ts";
import type { Journal } from "./journal.ts";

export interface CommitTrace extends AttributionTrace {
  /** Forgets what a transaction that failed left behind. */
  clear(): void;
  /** What is told from now on is about this commit. `only`: the one destination its messages are for. */
  commit(commit: JournaledCommit, only?: string): void;
  /** A message of the record at hand is laid, or about to be. */
  message(seq: number): void;
  /** Hands over what was gathered, and the messages in the order in which they were told. */
  write(contents: Buffer, now: number): void;
}

/** Null when nobody keeps it. */
export function createCommitTrace(journal: Journal): CommitTrace | null {
  if (!journal.isOn) return null;
  let commits: JournaledCommit[] = [];
  /** Of messages, in order. */
  const commitOf: number[] = [];
  const places: number[] = [];
  const seqs: number[] = [];
  const details = new Map<number, string>();
  let withoutMessage: JournaledOutput[] = [];
  let place = 0;
  let onlyFor: string | undefined;
  /** Messages that are not of the group identify at hand. */
  let told = 0;

  function clear(): void {
    commits = [];
    for (const column of [commitOf, places, seqs]) column.length = 0;
    details.clear();
    withoutMessage = [];
    told = 0;
  }

  return {
    clear,
    commit(commit, only) {
      commits.push(commit);
      onlyFor = only;
    },
    output(next) {
      place = next;
      told = seqs.length;
    },
    message(seq) {
      commitOf.push(commits.length - 1);
      places.push(place);
      seqs.push(seq);
    },
    gained(gained) {
      details.set(seqs.length - 1, textOf({ gained }));
    },
    identified(identify, became) {
      const { groupType, groupKey, recordId } = identify;
      const only = onlyFor === undefined ? {} : { only: onlyFor };
      const detail = textOf({ group: [groupType, groupKey], of: recordId, ...only });
      if (told === seqs.length) {
        const nothing = { commit: commits.length - 1, place, lane: 0, seq: 0, uuid: uuidOf(identify.uuid) };
        withoutMessage.push({ ...nothing, became: madeNothing(became), detail });
      }
      for (; told < seqs.length; told++) details.set(told, detail);
    },
    write(contents, now) {
      if (commits.length === 0) return;
      journal.add("commit", now, (out) => {
        writeCommits(commits, out);
        out.number(seqs.length + withoutMessage.length);
        let index = 0;
        const rest: Iterable<MessagePlace> = messagesIn(contents, 0, contents.length);
        for (const message of rest) {
          const [commit = 0, record = 0, seq = 0] = [commitOf[index], places[index], seqs[index]];
          writeMessageOutput({ commit, place: record, seq, detail: details.get(index) ?? "" }, contents, message, out);
          index += 1;
        }
        for (const output of withoutMessage) writeOutput(output, out);
      });
    },
  };
}

/** What had to be sent but could not be written, too. */
function madeNothing(became: Became): Became {
  return became === "sent" ? "refused" : became;
}

function textOf(detail: OutputDetail): string {
  return JSON.stringify(detail);
}
