/** Frames, the messages of a run laid end to end (core/parcel.ts): where each begins, and whose it is. */

import { FRAME_HEAD_BYTES, ID_BYTES } from "../../core/parcel.ts";

/** Where each frame begins; and last, where the last one ends. */
export function frameStarts(bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = [0];
  let at = 0;
  while (at < bytes.byteLength) {
    at += FRAME_HEAD_BYTES + view.getUint32(at, true);
    starts.push(at);
  }
  return starts;
}

/** Whether these are so many frames, the last of which ends where the bytes do. */
export function isWhole(bytes: Buffer, frames: number): boolean {
  let at = 0;
  for (let left = frames; left > 0; left--) {
    if (at + FRAME_HEAD_BYTES > bytes.length) return false;
    at += FRAME_HEAD_BYTES + bytes.readUInt32LE(at);
  }
  return at === bytes.length;
}

export function frameOf(uuid: string, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + body.byteLength);
  frame.writeUInt32LE(body.byteLength);
  frame.write(uuid.replaceAll("-", ""), 4, ID_BYTES, "hex");
  frame.set(body, FRAME_HEAD_BYTES);
  return frame;
}
