/** A glob as steps, each of which takes one character. Place n in it is after n steps; sets of places are bits. */

export interface Glob {
  readonly steps: number;
  /** Places with a `*`: whatever comes, they are not left. */
  readonly stays: Uint32Array;
  /** Places whose step takes the character. */
  takenBy(character: string): Uint32Array;
}

/** First and last code point. */
type Range = readonly [number, number];

const ANY: Range = [0, 0x10ffff];
/** Characters whose places are kept at once. */
const KEPT = 4096;

export function compileGlob(pattern: string): Glob {
  const stars: number[] = [];
  const literals = new Map<string, number[]>();
  const sets: { readonly place: number; readonly ranges: readonly Range[] }[] = [];
  let steps = 0;
  for (const [, escaped, set, plain = ""] of pattern.matchAll(/\\(.)|\[([^\]]+)\]|(.)/gsu)) {
    if (plain === "*") {
      stars.push(steps);
      continue;
    }
    const place = steps++;
    if (set !== undefined) sets.push({ place, ranges: rangesOf(set) });
    else if (plain === "?") sets.push({ place, ranges: [ANY] });
    else literals.set(escaped ?? plain, [...(literals.get(escaped ?? plain) ?? []), place]);
  }
  const words = (steps >>> 5) + 1;
  const kept = new Map<string, Uint32Array>();
  return {
    steps,
    stays: bitsOf(stars, words),
    takenBy(character) {
      const known = kept.get(character);
      if (known) return known;
      const code = character.codePointAt(0) ?? 0;
      const places = sets.filter(({ ranges }) => ranges.some(([from, to]) => code >= from && code <= to));
      const bits = bitsOf([...(literals.get(character) ?? []), ...places.map(({ place }) => place)], words);
      if (kept.size >= KEPT) kept.clear();
      kept.set(character, bits);
      return bits;
    },
  };
}

function rangesOf(set: string): readonly Range[] {
  return [...set.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, single = ""]) => [
    (from ?? single).codePointAt(0) ?? 0,
    (to ?? single).codePointAt(0) ?? 0,
  ]);
}

function bitsOf(places: readonly number[], words: number): Uint32Array {
  const bits = new Uint32Array(words);
  for (const place of places) bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
  return bits;
}
