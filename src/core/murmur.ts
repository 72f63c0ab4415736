/**
 * MurmurHash3 (x86, 128 bits, seed 0) over the UTF-16 units of a text, each as two bytes, low byte first: four 32-bit
 * words. Even and fast, the same everywhere, and no protection against somebody who wants two texts to collide.
 * Source: Austin Appleby's reference, public domain; its vectors are in the tests.
 */

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;
const UNITS_PER_BLOCK = 8;

export type Words = readonly [number, number, number, number];

export function murmur128(text: string): Words {
  const units = text.length;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  let at = 0;
  for (; at + UNITS_PER_BLOCK <= units; at += UNITS_PER_BLOCK) {
    h1 = Math.imul(rotate(h1 ^ mix(pair(text, at), C1, 15, C2), 19) + h2, 5) + 0x561ccd1b;
    h2 = Math.imul(rotate(h2 ^ mix(pair(text, at + 2), C2, 16, C3), 17) + h3, 5) + 0x0bcaa747;
    h3 = Math.imul(rotate(h3 ^ mix(pair(text, at + 4), C3, 17, C4), 15) + h4, 5) + 0x96cd1c35;
    h4 = Math.imul(rotate(h4 ^ mix(pair(text, at + 6), C4, 18, C1), 13) + h1, 5) + 0x32ac3b17;
  }
  // Past the end there is nothing, and nothing mixed is nothing.
  h4 ^= mix(pair(text, at + 6), C4, 18, C1);
  h3 ^= mix(pair(text, at + 4), C3, 17, C4);
  h2 ^= mix(pair(text, at + 2), C2, 16, C3);
  h1 ^= mix(pair(text, at), C1, 15, C2);
  const bytes = units * 2;
  return finish(h1 ^ bytes, h2 ^ bytes, h3 ^ bytes, h4 ^ bytes);
}

function finish(a: number, b: number, c: number, d: number): Words {
  const sum = (a + b + c + d) | 0;
  const h1 = avalanche(sum);
  const h2 = avalanche((b + sum) | 0);
  const h3 = avalanche((c + sum) | 0);
  const h4 = avalanche((d + sum) | 0);
  const all = (h1 + h2 + h3 + h4) | 0;
  return [all, (h2 + all) | 0, (h3 + all) | 0, (h4 + all) | 0];
}

/** Past the end a code is NaN, which counts as 0 here. */
function pair(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
}

function mix(k: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(k, first), bits), second);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function avalanche(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
