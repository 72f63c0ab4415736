/** Lines out of chunks of bytes: found as bytes, decoded one by one. */

export interface Line {
  /** Without its end; null when it was longer than allowed, and then its content was let go. */
  readonly text: string | null;
  /** In bytes, its end included. */
  readonly length: number;
}

export interface LineSplitter {
  /** Every line that the part completes. */
  push(part: Uint8Array): Iterable<Line>;
  /** The last line, if it has no end. */
  finish(): Line | null;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Keeps at most `maxBytes` of an unfinished line. */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let begun: Buffer[] = [];
  let length = 0;

  const begin = (bytes: Buffer) => {
    length += bytes.length;
    if (length > maxBytes) begun = [];
    else if (bytes.length > 0) begun.push(bytes);
  };
  const complete = (): Line => {
    const line = { text: length > maxBytes ? null : decode(Buffer.concat(begun)), length };
    begun = [];
    length = 0;
    return line;
  };

  return {
    *push(part) {
      const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
        const line = bytes.subarray(start, end + 1);
        start = end + 1;
        if (length > 0 || line.length > maxBytes) {
          begin(line);
          yield complete();
        } else yield { text: decode(line), length: line.length };
      }
      begin(bytes.subarray(start));
    },
    finish: () => (length > 0 ? complete() : null),
  };
}

function decode(line: Buffer): string {
  let end = line.length;
  if (line[end - 1] === NEWLINE) end--;
  if (line[end - 1] === CARRIAGE_RETURN) end--;
  return line.toString("utf8", 0, end);
}
