/** Which messages may share a request. */

import { type MessageText, uuidHash, uuidOf } from "./message-text.ts";

/** What messages that must arrive one after the other have in common; null: it matters to none. */
export type KeyOf = (message: MessageText) => string | null;

/**
 * Places of the messages, request by request, each ascending: a request holds a uuid once, and at most one message of a
 * key; what of a key comes later is in a later request.
 */
export function requestsOf(messages: readonly MessageText[], keyOf: KeyOf): readonly (readonly number[])[] {
  const isUuidKey = mayRepeat(messages);
  const requests: number[][] = [];
  /** Uuid, or key behind a line break → the last request that has it. */
  const last = new Map<string, number>();
  for (let place = 0; place < messages.length; place++) {
    const message = messages[place];
    if (!message) continue;
    const key = keyOf(message);
    const at = key === null && !isUuidKey ? 0 : firstWithout(keysOf(message, key), last);
    const request = requests[at];
    if (request) request.push(place);
    else requests[at] = [place];
  }
  return requests;

  function keysOf(message: MessageText, key: string | null): readonly string[] {
    return [...(key === null ? [] : [`\n${key}`]), ...(isUuidKey ? [uuidOf(message)] : [])];
  }
}

/** The request after the last that has one of the keys, which it then has. */
function firstWithout(keys: readonly string[], last: Map<string, number>): number {
  const at = Math.max(...keys.map((key) => 1 + (last.get(key) ?? -1)));
  for (const key of keys) last.set(key, at);
  return at;
}

/** The messages at `places`, which ascend. */
export function pick<Message>(messages: readonly Message[], places: readonly number[]): readonly Message[] {
  if (places.length === messages.length) return messages;
  return places.flatMap((place) => messages[place] ?? []);
}

/** `values[places[i]] = some[i]`. */
export function fill<Value>(values: Value[], places: readonly number[], some: readonly Value[]): void {
  for (let at = 0; at < places.length; at++) {
    const [place, value] = [places[at], some[at]];
    if (place !== undefined && value !== undefined) values[place] = value;
  }
}

/** At least every second one is free, so that a search is short. */
const SLOTS_PER_MESSAGE = 2;
const FREE = 0;

/**
 * Whether two of them may have one uuid; hardly ever true when no two have. Told by numbers: to put the texts of each batch
 * into a Set would cost as much as to send it.
 */
function mayRepeat(messages: readonly MessageText[]): boolean {
  const size = 1 << Math.ceil(Math.log2(SLOTS_PER_MESSAGE * messages.length + 1));
  const hashes = new Int32Array(size);
  for (let place = 0; place < messages.length; place++) {
    const message = messages[place];
    if (!message) continue;
    const hash = uuidHash(message) || 1;
    let slot = hash & (size - 1);
    for (; hashes[slot] !== FREE; slot = (slot + 1) & (size - 1)) if (hashes[slot] === hash) return true;
    hashes[slot] = hash;
  }
  return false;
}
