/**
 * Tells a message that is wrong from a destination that is: alone in a request, both are refused. A message that is
 * refused alone dies
 * - when the peer took something else of the same delivery;
 * - else when the peer took something since it last refused a message alone;
 * - else when it was refused alone in three deliveries and the peer, asked with a batch without events, says something
 *   else: then it reads batches, and it is the message that it does not like. So a wrong message that nothing can go
 *   before does not block for ever. No more than three die so before something is taken, for a peer that takes no event
 *   at all may read batches too.
 * In any other case the peer takes nothing, and what is not settled waits. After three messages that were refused alone in
 * the same words, with nothing taken, the rest of the delivery is not even sent.
 */

import type { Outcome } from "../../core/destination.ts";
import { type Absent, blocked, type Refused, type Retry, TOO_LARGE } from "./answer.ts";
import type { Way } from "./capture.ts";
import { type MessageText, uuidOf } from "./message-text.ts";

/** What is the same for all requests of one delivery. */
export interface Sending {
  readonly way: Way;
  readonly signal: AbortSignal;
  readonly trial: Trial;
}

/** Refused: alone. */
export type Settled = Outcome | Absent | Refused;

/** Of one peer. */
export interface Refusals {
  /** Begins a delivery. */
  begin(): Trial;
}

/** One delivery, and what the peer says to it. */
export interface Trial {
  /** The peer took, or judged by itself, an event. */
  noteTaken(): void;
  noteRefusedAlone(refused: Refused): void;
  /** What all that was not sent yet gets; null: it is worth to be sent. */
  stopped(): Retry | null;
  /** Settles what was refused alone. `readsBatches`: whether the peer says something else than `refused` to a batch without events. */
  settle<Other extends Outcome | Absent>(
    messages: readonly MessageText[],
    outcomes: readonly (Other | Refused)[],
    readsBatches: (refused: Refused) => Promise<boolean>,
  ): Promise<readonly (Other | Outcome)[]>;
}

/** Refused alone and alike, one after the other, with nothing taken: it is not the messages. */
const ALIKE = 3;
/** Deliveries in which a message was refused alone before the peer is asked about it. */
const PATIENCE = 3;
/** Messages that die by what the peer says to a batch without events, until something is taken. */
const MOST_BY_QUESTION = 3;

export function createRefusals(): Refusals {
  /** Something was taken since a message was last refused alone. */
  let hasTaken = false;
  /** Uuid → deliveries in which it was refused alone, since something was taken: heads of lanes, so there are few. */
  const times = new Map<string, number>();
  let diedByQuestion = 0;

  function noteTaken(): void {
    hasTaken = true;
    diedByQuestion = 0;
    times.clear();
  }

  /** With nothing taken in its delivery. */
  async function isGuilty(uuid: string, isAlone: boolean, readsBatches: () => Promise<boolean>): Promise<boolean> {
    const hadTaken = hasTaken;
    hasTaken = false;
    if (hadTaken && isAlone) return true;
    const count = (times.get(uuid) ?? 0) + 1;
    times.set(uuid, count);
    if (!isAlone || count < PATIENCE || diedByQuestion >= MOST_BY_QUESTION || !(await readsBatches())) return false;
    diedByQuestion += 1;
    times.delete(uuid);
    return true;
  }

  return {
    begin() {
      let isTaken = false;
      let alike = 0;
      let last = "";
      let stop: Retry | null = null;

      return {
        noteTaken() {
          isTaken = true;
          noteTaken();
        },

        noteRefusedAlone(refused) {
          if (isTaken || isOfMessage(refused)) return;
          const words = wordsOf(refused.reason);
          alike = words === last ? alike + 1 : 1;
          last = words;
          if (alike >= ALIKE) stop = refusesAll(refused);
        },

        stopped: () => stop,

        async settle<Other extends Outcome | Absent>(
          messages: readonly MessageText[],
          outcomes: readonly (Other | Refused)[],
          readsBatches: (refused: Refused) => Promise<boolean>,
        ) {
          if (!outcomes.some(isRefused)) return outcomes as readonly Other[];
          const settled: (Other | Outcome)[] = [];
          for (const [place, outcome] of outcomes.entries()) {
            const message = messages[place];
            if (!isRefused(outcome)) settled.push(outcome);
            else if (isTaken || isOfMessage(outcome) || !message) settled.push(dead(outcome));
            else {
              const asks = () => readsBatches(outcome);
              const isDead = await isGuilty(uuidOf(message), stop === null, asks);
              settled.push(isDead ? dead(outcome) : (stop ?? refusesAll(outcome)));
            }
          }
          return settled;
        },
      };
    },
  };
}

/** What became of the parts of a batch that was refused as a whole: who looks for an attempt must find that it was not the first. */
export function inPieces(outcomes: readonly Settled[]): Settled[] {
  return outcomes.map((one) => (one.kind === "delivered" && one.note === undefined ? IN_PIECES : one));
}

const IN_PIECES: Outcome = {
  kind: "delivered",
  note: "the batch it came in was refused, and sent again in parts",
  code: "in_parts",
};

/** Whether two refusals say the same but for numbers, such as the id of a request. */
export function saysTheSame(reason: string, other: string): boolean {
  return wordsOf(reason) === wordsOf(other);
}

function wordsOf(reason: string): string {
  return reason.replace(/[0-9a-f-]{8,}|\d+/gi, "#");
}

function isRefused(outcome: Settled): outcome is Refused {
  return outcome.kind === "refused";
}

/** It can be said of no other. */
function isOfMessage({ code }: Refused): boolean {
  return code === TOO_LARGE;
}

function refusesAll({ reason }: Refused): Retry {
  return blocked(`${reason}: it took nothing else either, so the host or the settings may be wrong, not the message`);
}

function dead({ reason, code }: Refused): Outcome {
  return { kind: "dead", reason, code };
}
