/** Text that is not UTF-8, as UTF-8: so that everything after has to know one encoding only. */

import type { Chunk } from "../../platform/files/chunks.ts";

export const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** How many bytes have to be null, of a hundred, for a text without byte order mark to be UTF-16. */
const UTF_16_SHARE = 30;

/**
 * Of the first bytes of a text: by its byte order mark, else by where null bytes are, else UTF-8. Where UTF-8 is not
 * valid a table is read as Windows-1252, row by row: see read-rows.ts.
 */
export function sniffEncoding(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const looked = head.subarray(0, 1000);
  const nullsAt = (parity: number) => looked.filter((byte, at) => byte === 0 && at % 2 === parity).length;
  const enough = (looked.length * UTF_16_SHARE) / 100;
  if (nullsAt(1) > enough && nullsAt(1) > nullsAt(0)) return "utf-16le";
  if (nullsAt(0) > enough) return "utf-16be";
  return "utf-8";
}

/** Bytes that are none in the encoding become U+FFFD. */
export async function* asUtf8(chunks: AsyncIterable<Chunk>, encoding: Encoding): AsyncGenerator<Chunk> {
  const decoder = new TextDecoder(encoding);
  let read = 0;
  for await (const { parts, bytes } of chunks) {
    read = bytes;
    yield { parts: parts.map((part) => Buffer.from(decoder.decode(part, { stream: true }))), bytes };
  }
  yield { parts: [Buffer.from(decoder.decode())], bytes: read };
}
