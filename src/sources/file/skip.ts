/** Goes to where a cursor stands, without looking at the lines before it. */

import { changed } from "./cursor.ts";

export interface Skipper {
  /** What of the part lies after the cursor. @throws INPUT_CHANGED when the cursor does not stand between two lines. */
  rest(part: Uint8Array): Uint8Array;
  /** @throws INPUT_CHANGED when the data ended before the cursor. */
  finish(): void;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** `bytes`: how many to leave out, the end of the line before the cursor included. */
export function createSkipper(bytes: number, path: string): Skipper {
  let left = bytes;
  let last = NEWLINE;
  let checked = bytes === 0;
  return {
    rest(part) {
      if (checked) return part;
      const skipped = Math.min(left, part.length);
      left -= skipped;
      if (skipped > 0) last = part[skipped - 1] ?? last;
      const rest = part.subarray(skipped);
      if (rest.length > 0) {
        checked = true;
        checkBoundary(last, rest, path);
      }
      return rest;
    },
    finish() {
      if (left > 0) throw changed(path, `it ends ${left} bytes before the place reached`);
    },
  };
}

/** The last line of a file may have had no end; if the file went on since then, a new line must begin here. */
function checkBoundary(last: number, rest: Uint8Array, path: string): void {
  if (last === NEWLINE || rest[0] === NEWLINE || rest[0] === CARRIAGE_RETURN) return;
  throw changed(path, "the place reached is no longer the end of a line");
}
