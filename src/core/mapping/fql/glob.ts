/** FQL globs: `*` any run, `?` one character, `[abc]`, `[a-z]`, `\x` itself. Whole text, case-sensitive. */

import { compileGlob, type Glob } from "./glob-steps.ts";

/** In characters. */
export const LONGEST_GLOB = 1000;

const compiled = new Map<string, Glob>();
const KEPT = 200;

/** In time proportional to the text, whatever the pattern: all places in it are followed at once. Longer patterns than allowed match nothing. */
export function matchesGlob(text: string, pattern: string): boolean {
  if (pattern.length > LONGEST_GLOB) return false;
  const glob = globOf(pattern);
  const reached = new Uint32Array(glob.stays.length);
  reached[0] = 1;
  for (const character of text) if (!follow(reached, glob, character)) return false;
  return ((reached[glob.steps >>> 5] ?? 0) & (1 << (glob.steps & 31))) !== 0;
}

/** The places reached after one more character; false when there are none. */
function follow(reached: Uint32Array, { stays, takenBy }: Glob, character: string): boolean {
  const taken = takenBy(character);
  let [carried, any] = [0, 0];
  for (let word = 0; word < reached.length; word++) {
    const here = reached[word] ?? 0;
    const moved = here & (taken[word] ?? 0);
    const next = (moved << 1) | carried | (here & (stays[word] ?? 0));
    carried = moved >>> 31;
    reached[word] = next;
    any |= next;
  }
  return any !== 0;
}

function globOf(pattern: string): Glob {
  const known = compiled.get(pattern);
  if (known) return known;
  const glob = compileGlob(pattern);
  if (compiled.size >= KEPT) compiled.clear();
  compiled.set(pattern, glob);
  return glob;
}
