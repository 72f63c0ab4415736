/** Cuts chunks of a table into pages of whole rows. A row that is broken is left out by its first line, and told. */

import { createByteWriter } from "../../core/bytes.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";
import { findRowEnd } from "./row-end.ts";
import { type BrokenRow, MAX_PAGE_BYTES, type RawPage, type Slicer, type SlicerOptions } from "./slicer.ts";

export interface RowSlicerOptions extends SlicerOptions {
  /** One byte. */
  readonly delimiter: number;
  /** The first row names the columns: it is in no page. */
  readonly hasHeader: boolean;
}

const MOST_UNUSED = 4;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");
const NOTHING = Buffer.alloc(0);
/** Of a broken row, so much is kept for whoever looks into it. */
const KEPT_BYTES = 2_000;

export function createRowSlicer(options: RowSlicerOptions): Slicer {
  const { pageLines: pageRows, maxLineBytes: maxBytes, delimiter } = options;
  const kept = createByteWriter();
  const pool = createMemoryPool(MOST_UNUSED);
  let isHeader = options.hasHeader;
  let firstLine = options.lines + 1;
  let headerLines = 0;
  let [rows, lines, length] = [0, 0, 0];
  let tooLong: { line: number; length: number }[] = [];
  let broken: BrokenRow[] = [];
  /** Of rows that did not end in earlier parts. */
  let pending: Buffer = NOTHING;
  /** Bytes let go of the line that is too long and has not ended; 0: there is none. */
  let dropped = 0;

  function take(): RawPage {
    const bytes = new Uint8Array(pool.take(kept.length), 0, kept.length);
    bytes.set(kept.view(0, kept.length));
    const page = { bytes, firstLine: firstLine + headerLines, lines, tooLong, broken, length };
    kept.cut(0);
    firstLine += lines;
    headerLines = 0;
    [rows, lines, length] = [0, 0, 0];
    [tooLong, broken] = [[], []];
    return page;
  }
  const count = (rowBytes: number, rowLines: number) => {
    rows += 1;
    lines += rowLines;
    length += rowBytes;
  };
  const isFull = () => rows >= pageRows || length >= MAX_PAGE_BYTES;

  /** Only the first line is given up: the next may begin a row that is sound. Gives where that is. */
  function leaveOut(bytes: Buffer, from: number, end: number, detail: string): number {
    const newline = bytes.indexOf(NEWLINE, from);
    const next = newline < 0 ? end : newline + 1;
    const line = firstLine + lines;
    if (next - from > maxBytes) tooLong.push({ line, length: next - from });
    else broken.push({ line, detail, text: bytes.toString("latin1", from, Math.min(next, from + KEPT_BYTES)) });
    count(next - from, 1);
    return next;
  }

  /** Every row that ends in `bytes`; what is left becomes `pending`. */
  function* cut(bytes: Buffer, isLast: boolean): Generator<RawPage> {
    let at = 0;
    while (at < bytes.length) {
      const from = isHeader && bytes.indexOf(BYTE_ORDER_MARK) === 0 ? at + BYTE_ORDER_MARK.length : at;
      const found = findRowEnd(bytes, from, delimiter, isLast);
      const isLineOpen = found.kind !== "row" && !isLast && bytes.indexOf(NEWLINE, at) < 0;
      if ((found.kind === "unfinished" || isLineOpen) && bytes.length - at <= maxBytes) break;
      if (isLineOpen) {
        dropped = bytes.length - at;
        at = bytes.length;
        break;
      }
      const isKept = found.kind === "row" && found.end - at <= maxBytes;
      if (isKept) {
        if (isHeader) headerLines = found.lines;
        else kept.bytes(bytes.subarray(at, found.end));
        count(found.end - at, found.lines);
        at = found.end;
      } else at = leaveOut(bytes, at, bytes.length, found.kind === "stray" ? STRAY : unclosed(maxBytes));
      isHeader = false;
      if (isFull()) yield take();
    }
    pending = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }

  /** What of `part` comes after the line that is too long. */
  function afterDropped(part: Buffer): Buffer {
    if (dropped === 0) return part;
    const newline = part.indexOf(NEWLINE);
    dropped += newline < 0 ? part.length : newline + 1;
    if (newline < 0) return NOTHING;
    endDropped();
    return part.subarray(newline + 1);
  }

  function endDropped(): void {
    tooLong.push({ line: firstLine + lines, length: dropped });
    count(dropped, 1);
    dropped = 0;
    isHeader = false;
  }

  return {
    *push(part) {
      const rest = afterDropped(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
      if (rest.length > 0) yield* cut(pending.length > 0 ? Buffer.concat([pending, rest]) : rest, false);
    },
    *finish({ isWhole }) {
      if (isWhole && dropped > 0) endDropped();
      if (isWhole) yield* cut(pending, true);
      if (rows > 0) yield take();
    },
    reuse: pool.give,
  };
}

const STRAY = "a quote that closes is followed by other text; quotes within a cell are doubled";

function unclosed(maxBytes: number): string {
  return `a quote that opens is not closed within the ${maxBytes} bytes allowed`;
}
