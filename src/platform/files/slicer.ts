/** Cuts chunks of bytes into pages of whole lines, without looking into the lines. What tables are cut into is alike. */

import { createByteWriter } from "../../core/bytes.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";

export interface RawPage {
  /** Whole lines with their ends, in memory of its own (see `reuse`); the last line of a file may have none. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of the first line, from 1; and how many there are, those too long included. */
  readonly firstLine: number;
  readonly lines: number;
  /** Lines longer than allowed: their content was let go. Ascending. */
  readonly tooLong: readonly { readonly line: number; readonly length: number }[];
  /** Lines of a table that belong to no row. Ascending. */
  readonly broken?: readonly BrokenRow[];
  /** Bytes of input, those of lines too long included. */
  readonly length: number;
}

export interface BrokenRow {
  readonly line: number;
  /** What is wrong with it. */
  readonly detail: string;
  /** The line, or its begin; each byte a character. */
  readonly text: string;
}

export interface Slicer {
  /** Every page that the part fills. */
  push(part: Uint8Array): Iterable<RawPage>;
  /** What is left when there are no more parts. A line without an end counts if `isWhole`. */
  finish(file: { readonly isWhole: boolean }): Iterable<RawPage>;
  /** Nobody needs the page's bytes any more. */
  reuse(memory: ArrayBuffer): void;
}

export interface SlicerOptions {
  /** Lines done before. */
  readonly lines: number;
  readonly pageLines: number;
  /** Keeps at most so much of an unfinished line. */
  readonly maxLineBytes: number;
}

/** A page of large lines ends early. */
export const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const MOST_UNUSED = 4;
const NEWLINE = 0x0a;

export function createSlicer({ lines: linesBefore, pageLines, maxLineBytes }: SlicerOptions): Slicer {
  const kept = createByteWriter();
  const pool = createMemoryPool(MOST_UNUSED);
  let firstLine = linesBefore + 1;
  let lines = 0;
  let length = 0;
  let tooLong: { line: number; length: number }[] = [];
  /** Of the line begun: its bytes in earlier parts, and where they begin in `kept`. */
  let begun = 0;
  let begunAt = 0;

  function take(): RawPage {
    const bytes = new Uint8Array(pool.take(kept.length), 0, kept.length);
    bytes.set(kept.view(0, kept.length));
    const page = { bytes, firstLine, lines, tooLong, length };
    kept.cut(0);
    firstLine += lines;
    lines = 0;
    length = 0;
    begunAt = 0;
    tooLong = [];
    return page;
  }

  /** The line that ends before `end` is too long: of the part, what is before the line is kept. */
  function leaveOut(before: Buffer, lineLength: number): void {
    kept.cut(begunAt);
    kept.bytes(before);
    tooLong.push({ line: firstLine + lines, length: lineLength });
  }

  return {
    *push(part) {
      const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      /** Of the part: where the line begins, and what is not kept yet. */
      let from = 0;
      let unkept = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
        const lineLength = begun + end + 1 - from;
        if (lineLength > maxLineBytes) {
          leaveOut(bytes.subarray(unkept, from), lineLength);
          unkept = end + 1;
        }
        lines += 1;
        length += lineLength;
        from = end + 1;
        begun = 0;
        begunAt = kept.length;
        if (lines < pageLines && length < MAX_PAGE_BYTES) continue;
        kept.bytes(bytes.subarray(unkept, from));
        unkept = from;
        yield take();
      }
      begunAt = begun > 0 ? begunAt : kept.length + from - unkept;
      begun += bytes.length - from;
      kept.bytes(bytes.subarray(unkept));
      if (begun > maxLineBytes) kept.cut(begunAt);
    },
    *finish({ isWhole }) {
      if (begun > 0 && isWhole) {
        if (begun > maxLineBytes) leaveOut(NOTHING, begun);
        lines += 1;
        length += begun;
      } else kept.cut(begun > 0 ? begunAt : kept.length);
      begun = 0;
      if (lines > 0) yield take();
    },
    reuse: pool.give,
  };
}

const NOTHING = Buffer.alloc(0);
