/** How bytes are compressed, found from the bytes: some tools decompress on the way and leave the name alone. */

export type Compression = "gzip" | "zstd" | "deflate";

/** Of the first bytes of a file, at least four if it has them. `zip` is a file of files. */
export function sniffCompression(head: Uint8Array): Exclude<Compression, "deflate"> | "zip" | null {
  const begins = (...bytes: readonly number[]) => bytes.every((byte, at) => head[at] === byte);
  if (begins(0x1f, 0x8b)) return "gzip";
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  // Of a frame to be skipped, with which zstd files may begin too.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return "zstd";
  // With a first entry, or empty.
  if (begins(0x50, 0x4b, 0x03, 0x04) || begins(0x50, 0x4b, 0x05, 0x06)) return "zip";
  return null;
}
