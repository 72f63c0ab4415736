/** What a benchmark is: two things measured side by side in one run, and the ratio we hold ourselves to. */

export interface Benchmark {
  readonly name: string;
  /** One line. */
  readonly about: string;
  run(options: BenchmarkOptions): Promise<readonly Finding[]>;
}

export interface BenchmarkOptions {
  /** A few seconds for the whole benchmark: to see that it works, not what it measures. */
  readonly quick: boolean;
  /** A directory of the run's own; whoever made it removes it. */
  readonly scratch: string;
  readonly log: (line: string) => void;
}

export type Finding = Measured | Skipped;

export interface Measured {
  readonly kind: "measured";
  readonly what: string;
  readonly value: number;
  /** `x`: a ratio within this run. */
  readonly unit: "x" | "ms" | "MB" | "%" | "";
  /** Null: only told. */
  readonly goal: { readonly atLeast: number } | { readonly atMost: number } | null;
  /** The figures behind it. */
  readonly note: string;
}

export interface Skipped {
  readonly kind: "skipped";
  readonly what: string;
  readonly why: string;
}

export function reached({ value, goal }: Measured): boolean | null {
  if (goal === null) return null;
  return "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/**
 * Runs every contender once per round, in turn, so that a slow minute of the machine hits all of them; gives what each
 * round found. `rounds[i][name]`.
 */
export async function interleave<Name extends string, Found>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<Found>>>,
): Promise<readonly Readonly<Record<Name, Found>>[]> {
  const found: Record<Name, Found>[] = [];
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(contenders) as Name[];
    const order = round % 2 === 0 ? names : names.reverse();
    const entries: [Name, Found][] = [];
    for (const name of order) entries.push([name, await contenders[name]()]);
    found.push(Object.fromEntries(entries) as Record<Name, Found>);
  }
  return found;
}

/** 12,345 → "12.3 k". */
export function short(number: number): string {
  if (number >= 1e6) return `${(number / 1e6).toFixed(2)} M`;
  if (number >= 1000) return `${(number / 1000).toFixed(1)} k`;
  return number.toFixed(number < 10 ? 2 : 0);
}
