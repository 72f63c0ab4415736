/** Slices of raw JSON, byte for byte, without parsing: what was signed must not be re-serialised to check it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The bytes of the first element of an array; null if the text is no array or has none. Meaningful for valid JSON only. */
export function sliceFirstElement(json: Uint8Array): Uint8Array | null {
  const open = skipSpace(json, 0);
  if (json[open] !== OPEN_ARRAY) return null;
  const start = skipSpace(json, open + 1);
  const end = endOfValue(json, start);
  return end > start ? json.subarray(start, end) : null;
}

/**
 * The bytes of the value of an object whose one and only key is `"key"`, written like this. With a second key null:
 * JSON.parse takes the last of two equal keys, so a forger could put his own beside the one that was signed.
 */
export function sliceOnlyValue(json: Uint8Array, key: string): Uint8Array | null {
  const quoted = Buffer.from(JSON.stringify(key));
  if (json[0] !== OPEN_OBJECT) return null;
  const keyAt = skipSpace(json, 1);
  if (!quoted.equals(json.subarray(keyAt, keyAt + quoted.length))) return null;
  const colon = skipSpace(json, keyAt + quoted.length);
  if (json[colon] !== COLON) return null;
  const start = skipSpace(json, colon + 1);
  const end = endOfValue(json, start);
  return end > start && json[skipSpace(json, end)] === CLOSE_OBJECT ? json.subarray(start, end) : null;
}

function skipSpace(json: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(json[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Where the value that begins at `start` ends, exclusive. */
function endOfValue(json: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at);
      if (depth === 0) return at + 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return at;
  }
  return json.length;
}

/** Where the closing quote of the string that begins at `start` is. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
