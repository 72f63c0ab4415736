/** Rejections as they are kept: with as much of what was refused as it takes to see why, and not more. */

import type { JsonValue } from "./json.ts";
import type { Rejection } from "./record.ts";

/** Every call that is not too large, as Segment sees it, is kept whole. */
export const MAX_KEPT_BYTES = 32 * 1024;
/** About what a rejection takes beside its payload. */
const FRAME_BYTES = 512;
const MARKS_PER_VALUE = 4;
/** Of what `weightOf` counts as one: a character that JSON escapes. */
const MOST_BYTES_PER_UNIT = 6;

/** With a payload that is too large cut to the first bytes of its JSON text, which its detail then says. */
export function keptRejection<Kept extends Rejection>(rejection: Kept): Kept {
  const { payload, detail } = rejection;
  if (weightOf(payload) * MOST_BYTES_PER_UNIT <= MAX_KEPT_BYTES) return rejection;
  const text = Buffer.from(JSON.stringify(payload));
  if (text.length <= MAX_KEPT_BYTES) return rejection;
  const note = `Of its ${text.length} bytes the first ${MAX_KEPT_BYTES} are kept, as text.`;
  return { ...rejection, payload: text.toString("utf8", 0, MAX_KEPT_BYTES), detail: `${detail} ${note}` };
}

/** About how many bytes it takes to hand it over. */
export function rejectionBytes({ payload, detail }: Rejection): number {
  return FRAME_BYTES + detail.length + weightOf(payload);
}

/** About its bytes as JSON. However deep it nests: a loop. */
function weightOf(payload: JsonValue): number {
  const left: JsonValue[] = [payload];
  let bytes = 0;
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    bytes += MARKS_PER_VALUE;
    if (typeof value === "string") bytes += value.length;
    else if (Array.isArray(value)) for (const one of value) left.push(one);
    else if (typeof value === "object" && value !== null) {
      for (const key of Object.keys(value)) {
        bytes += key.length;
        left.push(value[key] ?? null);
      }
    }
  }
  return bytes;
}
