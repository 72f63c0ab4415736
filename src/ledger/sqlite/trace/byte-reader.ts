/** Reads what a ByteWriter laid, from a place on. */

export interface ByteReader {
  number(): number;
  double(): number;
  /** Behind its length. */
  text(): string;
  /** The next so many bytes, where they lie. */
  take(bytes: number): Buffer;
  /** Where what is read next stands. */
  place(): number;
}

export function createByteReader(bytes: Buffer, from: number): ByteReader {
  let at = from;
  const number = () => {
    at += 4;
    return bytes.readUInt32LE(at - 4);
  };
  const take = (size: number) => {
    at += size;
    return bytes.subarray(at - size, at);
  };
  return {
    number,
    take,
    double() {
      at += 8;
      return bytes.readDoubleLE(at - 8);
    },
    text: () => take(number()).toString(),
    place: () => at,
  };
}
