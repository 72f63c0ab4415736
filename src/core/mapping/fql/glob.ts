/** FQL globs: `*` any run, `?` one character, `[abc]`, `[a-z]`, `\x` itself. Whole text, case-sensitive. */

interface Step {
  readonly any: boolean;
  readonly takes: (character: string) => boolean;
}

const compiled = new Map<string, readonly Step[]>();
const KEPT = 200;

/** In time proportional to text times pattern at worst: no pattern can make it slow. */
export function matchesGlob(text: string, glob: string): boolean {
  const steps = stepsOf(glob);
  const characters = [...text];
  let [at, step, star, starAt] = [0, 0, -1, 0];
  while (at < characters.length) {
    const current = steps[step];
    if (current?.any) {
      star = step++;
      starAt = at;
    } else if (current?.takes(characters[at] ?? "")) {
      at += 1;
      step += 1;
    } else if (star >= 0) {
      step = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (steps[step]?.any) step += 1;
  return step === steps.length;
}

function stepsOf(glob: string): readonly Step[] {
  const known = compiled.get(glob);
  if (known) return known;
  const steps = [...glob.matchAll(/\\(.)|\[([^\]]+)\]|(.)/gsu)].map(([, escaped, set, plain = ""]) => {
    if (set !== undefined) return { any: false, takes: setOf(set) };
    if (plain === "*") return { any: true, takes: () => false };
    const wanted = escaped ?? plain;
    return { any: false, takes: escaped === undefined && plain === "?" ? () => true : (one: string) => one === wanted };
  });
  if (compiled.size >= KEPT) compiled.clear();
  compiled.set(glob, steps);
  return steps;
}

function setOf(set: string): (character: string) => boolean {
  const ranges = [...set.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, single = ""]) => [from ?? single, to ?? single]);
  return (one) => ranges.some(([from = "", to = ""]) => one >= from && one <= to);
}
