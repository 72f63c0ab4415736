/** A UUID as four 32-bit words, signed: what is computed, compared and laid into bytes without ever being text. */

export type Uuid = readonly [number, number, number, number];

const TEXT = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** In its usual form, of any version, in either case. */
export function isUuidText(text: string): boolean {
  return TEXT.test(text);
}

export function uuidText(uuid: Uuid): string {
  return dashed(uuid.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join(""));
}

/** The text of the UUID whose 16 bytes stand at `at`. */
export function uuidTextAt(bytes: Buffer, at: number): string {
  return dashed(bytes.toString("hex", at, at + 16));
}

function dashed(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Of the text of a UUID. */
export function uuidOf(text: string): Uuid {
  const hex = text.replaceAll("-", "");
  const word = (at: number) => Number.parseInt(hex.slice(at, at + 8), 16) | 0;
  return [word(0), word(8), word(16), word(24)];
}

/** Of the 16 bytes that stand at `at`. */
export function uuidAt(bytes: Uint8Array, at: number): Uuid {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  return [view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12)];
}
