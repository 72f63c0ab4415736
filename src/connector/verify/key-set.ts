/** Keys that were seen, as 64 bits of their hash each: 16 to 32 MB for a million, where the keys themselves took hundreds. */

import { murmur128 } from "../../core/murmur.ts";

export interface KeySet {
  /** False: it was there. Of a million keys, one in forty million is taken for another. */
  add(key: string): boolean;
  has(key: string): boolean;
}

const FIRST_SLOTS = 1024;

export function createKeySet(): KeySet {
  /** Two words a slot; both 0: it is free. */
  let words = new Uint32Array(2 * FIRST_SLOTS);
  let count = 0;

  /** Where the hash stands, or is to stand. */
  function placeOf(high: number, low: number): number {
    const slots = words.length / 2;
    let slot = low & (slots - 1);
    for (;;) {
      const at = 2 * slot;
      if ((words[at] === high && words[at + 1] === low) || (words[at] === 0 && words[at + 1] === 0)) return at;
      slot = (slot + 1) & (slots - 1);
    }
  }

  function put(high: number, low: number): boolean {
    const at = placeOf(high, low);
    if (words[at] === high && words[at + 1] === low) return false;
    words[at] = high;
    words[at + 1] = low;
    return true;
  }

  function grow(): void {
    const old = words;
    words = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]];
      if (high !== 0 || low !== 0) put(high, low);
    }
  }

  return {
    add(key) {
      const [high, low] = hashOf(key);
      if (!put(high, low)) return false;
      count += 1;
      if (4 * count > words.length) grow();
      return true;
    },
    has(key) {
      const [high, low] = hashOf(key);
      const at = placeOf(high, low);
      return words[at] === high && words[at + 1] === low;
    },
  };
}

/** Never both 0. */
function hashOf(key: string): readonly [number, number] {
  const [one, other] = murmur128(key);
  return [one >>> 0 || 1, other >>> 0];
}
