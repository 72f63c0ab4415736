/** Adds groups to an event that is text already. */

import type { ByteWriter } from "../bytes.ts";

export interface GainedGroups {
  /** Whether `$groups` stands in it: then last in its properties, as writeMessage lays it. */
  readonly hasGroups: boolean;
  readonly gained: Readonly<Record<string, string>>;
}

const CLOSING_BRACE = 0x7d;
const OPENING_BRACE = 0x7b;

/** `text` ends with the properties, as message.ts says. */
export function writeWithGroups(text: Buffer, { hasGroups, gained }: GainedGroups, out: ByteWriter): void {
  const closing = hasGroups ? 3 : 2;
  const at = text.length - closing;
  if (text.subarray(at).some((byte) => byte !== CLOSING_BRACE)) throw new RangeError("an event ends otherwise");
  out.bytes(text.subarray(0, at));
  if (text[at - 1] !== OPENING_BRACE) out.text(",");
  out.text(hasGroups ? JSON.stringify(gained).slice(1, -1) : `"$groups":${JSON.stringify(gained)}`);
  out.bytes(text.subarray(at));
}
