/** Whether the times of a file's history fall: it leaves in the order in which it is read. */

import { occurredAtOf } from "../core/message.ts";
import { FRAME_HEAD_BYTES, type MessagePlace, messagesIn, type Parcel } from "../core/parcel.ts";
import { serviceOfLane } from "../core/service.ts";
import type { Prepared } from "../core/source.ts";

export interface HistoryOrder {
  /** To be called with what was committed, in order. Looks at the first messages of each parcel. */
  see(prepared: Pick<Prepared, "parcels">): void;
  /** More often than they rise, and by more than a day in all. */
  timesFall(): boolean;
}

/** Of a parcel. */
const MOST_LOOKED_AT = 1_000;
/** Less is what senders of one day make of it. */
const LEAST_FALL_MS = 24 * 3_600_000;

/** `lanes`: of each service. */
export function createHistoryOrder(lanes: number): HistoryOrder {
  let first: number | null = null;
  let last: number | null = null;
  let falls = 0;
  let rises = 0;

  function take(at: number): void {
    first ??= at;
    if (last !== null && at < last) falls += 1;
    if (last !== null && at > last) rises += 1;
    last = at;
  }

  return {
    see({ parcels }) {
      for (const parcel of parcels) for (const at of endsOf(parcel, lanes)) take(at);
    },
    timesFall: () => first !== null && last !== null && falls > rises && first - last > LEAST_FALL_MS,
  };
}

/** When the first and the last historical message happened of those that are looked at. */
function endsOf({ contents }: Parcel, lanes: number): readonly number[] {
  const bytes = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  let first: MessagePlace | null = null;
  let last: MessagePlace | null = null;
  let lookedAt = 0;
  for (const place of messagesIn(bytes, 0, bytes.length)) {
    if (serviceOfLane(place.lane, lanes) === "historical") {
      first ??= place;
      last = place;
    }
    lookedAt += 1;
    if (lookedAt >= MOST_LOOKED_AT) break;
  }
  return [first, last].flatMap((place) => {
    if (!place) return [];
    const at = occurredAtOf(bytes.subarray(place.frameAt + FRAME_HEAD_BYTES, place.end));
    return Number.isNaN(at) ? [] : [at];
  });
}
