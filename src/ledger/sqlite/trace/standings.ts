/** What the tables know now of messages and records that are traced. */

import type { DatabaseSync } from "node:sqlite";
import type { KeptRejection } from "../../../core/ledger.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { Outbox } from "../outbox.ts";
import type { Passages } from "../passages.ts";
import type { Positions } from "../positions.ts";
import type { Rejections } from "../rejections.ts";
import type { Seen } from "../seen.ts";

export interface StandingsQuery {
  /** What was asked for. */
  readonly id: string;
  /** Ids of records found. */
  readonly recordIds: readonly string[];
  readonly sources: readonly string[];
  readonly messages: readonly TracedMessage[];
}

export interface TracedMessage {
  readonly uuid: string;
  /** Of those for which it is not where all others have it. */
  readonly places: readonly { readonly destination: string | null; readonly lane: number; readonly seq: number }[];
}

export interface Standings {
  readonly messages: readonly MessageStanding[];
  readonly deadLetters: readonly { readonly id: number; readonly uuid: string; readonly destination: string }[];
  readonly rejections: readonly KeptRejection[];
  readonly isSeen: boolean;
}

export interface MessageStanding {
  readonly uuid: string;
  readonly destination: string;
  /** 1: the next of its lane. Null: the destination is past it. */
  readonly place: number | null;
  /** ms UTC; null when the lane may be tried now. */
  readonly notBefore: number | null;
  /** When the destination got past it, where that is known. */
  readonly passedAt: number | null;
}

export interface StandingParts {
  readonly database: DatabaseSync;
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly passages: Passages;
  readonly deadLetters: Pick<DeadLetters, "withUuid">;
  readonly rejections: Pick<Rejections, "ofRecords">;
  readonly seen: Seen;
}

const UUID_TEXT = /^[0-9a-f-]{36}$/i;

export function readStandings(query: StandingsQuery, now: number, parts: StandingParts): Standings {
  const { id, recordIds, sources, messages } = query;
  const { deadLetters, rejections, seen } = parts;
  const uuids = [...new Set([id.toLowerCase(), ...messages.map(({ uuid }) => uuid)])];
  return {
    messages: messages.flatMap((message) => standingsOf(message, now, parts)),
    deadLetters: uuids.flatMap((uuid) => deadLetters.withUuid(uuid)),
    rejections: rejections.ofRecords(sources, [...new Set([id, ...recordIds])]),
    isSeen: UUID_TEXT.test(id) && seen.has(Buffer.from(id.replaceAll("-", ""), "hex")),
  };
}

function standingsOf({ uuid, places }: TracedMessage, now: number, parts: StandingParts): readonly MessageStanding[] {
  const { positions, passages } = parts;
  return positions.destinations.flatMap((destination): readonly MessageStanding[] => {
    const own = places.find((one) => one.destination === destination);
    const at = own ?? places.find((one) => one.destination === null);
    if (!at) return [];
    const { next, notBefore, settledAhead } = positions.of(destination, at.lane);
    if (at.seq >= next && !settledAhead.has(at.seq)) {
      const place = placeIn(destination, at, parts);
      return [{ uuid, destination, place, notBefore: notBefore > now ? notBefore : null, passedAt: null }];
    }
    const passed = passages.of(destination, at.lane, at.seq);
    const passedAt = typeof passed === "number" ? passed : null;
    return [{ uuid, destination, place: null, notBefore: null, passedAt }];
  });
}

function placeIn(
  destination: string,
  { lane, seq }: { readonly lane: number; readonly seq: number },
  { outbox, positions }: StandingParts,
): number {
  const { next, settledAhead } = positions.of(destination, lane);
  let place = 1;
  for (const { firstSeq, count, onlyDestination } of outbox.headsFrom(lane, next)) {
    if ((onlyDestination ?? destination) !== destination) continue;
    place += Math.max(0, Math.min(firstSeq + count, seq) - Math.max(firstSeq, next));
  }
  for (const ahead of settledAhead) if (ahead < seq) place -= 1;
  return place;
}
