/** Words that Segment lets pass when it checks them, and does not know when it runs. */

import { describe, type Scope, warn } from "../scope.ts";

/** A word in capitals, where the dialect is Segment's: noted, and to be treated as no word at all. */
export function isMiswritten(word: unknown, words: readonly string[], scope: Scope): boolean {
  if (scope.dialect !== "segment" || typeof word !== "string" || words.includes(word)) return false;
  if (!words.includes(word.toLowerCase())) return false;
  warn(scope, `found ${describe(word)}; only ${describe(word.toLowerCase())} has an effect`);
  return true;
}
