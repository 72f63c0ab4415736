/** How many rows may vanish in one run: more is a lost scope or a changed filter until somebody says that it is right. */

import { PrickleError } from "../../core/errors.ts";

const MOST_SHARE = 0.05;
/** So many may always. */
export const FEW = 50;

/** `live`: rows known. */
export function mayVanish(vanished: number, live: number): boolean {
  return vanished <= Math.max(FEW, live * MOST_SHARE);
}

export function tooManyVanished(vanished: number, live: number): PrickleError {
  return new PrickleError("SOURCE_CHANGED", `${vanished} of ${live} rows vanished in one run: nothing is removed.`, {
    hint: "A lost scope or a changed filter? If it is right so: prickle sync NAME --accept-removals.",
  });
}
