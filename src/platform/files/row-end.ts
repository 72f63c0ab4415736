/** Where a row of a table ends, as RFC 4180 has it: quotes open at the begin of a cell only, and are doubled within. */

export type RowEnd =
  /** `end`: after its line end. `lines`: how many it stands on. */
  | { readonly kind: "row"; readonly end: number; readonly lines: number }
  /** More bytes are needed to know. */
  | { readonly kind: "unfinished" }
  /** After a quote that closes there is something else than the end of the cell; or the last quote does not close. */
  | { readonly kind: "stray" }
  | { readonly kind: "unclosed" };

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

const UNFINISHED: RowEnd = { kind: "unfinished" };
const STRAY: RowEnd = { kind: "stray" };
const UNCLOSED: RowEnd = { kind: "unclosed" };

/** Of the row that begins at `from`. `isLast`: no bytes come after these. `delimiter`: one byte. */
export function findRowEnd(bytes: Uint8Array, from: number, delimiter: number, isLast: boolean): RowEnd {
  const { length } = bytes;
  let lines = 1;
  let at = from;
  for (;;) {
    if (bytes[at] === QUOTE) {
      for (at++; ; at++) {
        if (at >= length) return isLast ? UNCLOSED : UNFINISHED;
        if (bytes[at] === NEWLINE) lines += 1;
        if (bytes[at] !== QUOTE) continue;
        if (at + 1 >= length && !isLast) return UNFINISHED;
        if (bytes[at + 1] !== QUOTE) break;
        at += 1;
      }
      at += 1;
      while (bytes[at] === SPACE || bytes[at] === CARRIAGE_RETURN) at += 1;
      if (at >= length && !isLast) return UNFINISHED;
      if (at < length && bytes[at] !== delimiter && bytes[at] !== NEWLINE) return STRAY;
    } else {
      while (at < length && bytes[at] !== delimiter && bytes[at] !== NEWLINE) at += 1;
    }
    if (at >= length) return isLast ? { kind: "row", end: length, lines } : UNFINISHED;
    at += 1;
    if (bytes[at - 1] === NEWLINE) return { kind: "row", end: at, lines };
  }
}
