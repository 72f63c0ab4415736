/** What rows that were read both ways say of each kind of value: whether an export writes it as the API does. */

export interface Votes {
  add(kind: string, isSame: boolean): void;
  /** Whatever rows say. */
  doubt(kind: string): void;
  /** More rows say that it is the same than that it is not; where nobody was asked it is not. */
  isTrusted(kind: string): boolean;
  /** Whether to ask one more, beside so many that are being asked. */
  isOpen(kind: string, asked: number): boolean;
  /** One is asked, and may have nothing to say. */
  ask(kind: string): void;
  /** Kinds found to be written otherwise, and not by one that just changed. */
  doubted(): readonly string[];
}

const ENOUGH = 5;
const MANY = 3;
const MOST_ASKED = 20;

interface Count {
  same: number;
  other: number;
  asked: number;
}

export function createVotes(): Votes {
  const counts = new Map<string, Count>();
  const countOf = (kind: string): Count => {
    const found = counts.get(kind) ?? { same: 0, other: 0, asked: 0 };
    counts.set(kind, found);
    return found;
  };
  return {
    add(kind, isSame) {
      countOf(kind)[isSame ? "same" : "other"] += 1;
    },
    doubt(kind) {
      countOf(kind).other = Number.POSITIVE_INFINITY;
    },
    isTrusted(kind) {
      const { same, other } = countOf(kind);
      return same > other;
    },
    isOpen(kind, beside) {
      const { same, other, asked } = countOf(kind);
      return same + other + beside < ENOUGH && asked < MOST_ASKED;
    },
    ask(kind) {
      countOf(kind).asked += 1;
    },
    doubted: () => [...counts].filter(([, { same, other }]) => other >= MANY && other >= same).map(([kind]) => kind),
  };
}
