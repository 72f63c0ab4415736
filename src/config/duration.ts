/** Durations as people write them: 500ms, 30s, 2m, 72h, 7d. */

import * as z from "zod";

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d{1,9})(ms|s|m|h|d)$/;

/** Milliseconds; null when it is no duration. */
function parseDuration(text: string): number | null {
  const [, amount, unit] = PATTERN.exec(text) ?? [];
  if (amount === undefined || !isUnit(unit)) return null;
  return Number(amount) * UNITS[unit];
}

/** Text in, milliseconds out. */
export function duration({ from, to }: { readonly from: string; readonly to: string }) {
  const [least, most] = [parseDuration(from) ?? 0, parseDuration(to) ?? 0];
  return z
    .string()
    .regex(PATTERN)
    .refine((text) => {
      const ms = parseDuration(text);
      return ms !== null && ms >= least && ms <= most;
    })
    .transform((text) => parseDuration(text) ?? 0);
}

function isUnit(unit: string | undefined): unit is keyof typeof UNITS {
  return unit !== undefined && unit in UNITS;
}
