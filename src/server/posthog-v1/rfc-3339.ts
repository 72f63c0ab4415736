/** Times as protocol v1 takes them: RFC 3339, with seconds and an offset. */

import * as z from "zod";

const SHAPE = z.iso.datetime({ offset: true });
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** ms UTC; null: it is none, or of no real day. */
export function readRfc3339(text: string): number | null {
  const written = text.toUpperCase().replace(" ", "T");
  return SHAPE.safeParse(written).success ? Date.parse(written) : null;
}

/** Whether the engine can hold it. */
export function isStorableTime(ms: number): boolean {
  return ms >= FIRST_MS && ms <= LAST_MS;
}
