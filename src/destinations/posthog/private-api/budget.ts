/** How many requests a project's private API is asked: PostHog allows 480 a minute and 4,800 an hour (facts, 4, 2026-11). */

export interface RequestBudget {
  /** Takes one request out of it, and gives 0; else the ms after which there is one again. */
  take(): number;
  /** PostHog asked for a pause of so many ms. */
  hold(ms: number): void;
}

interface Span {
  readonly ms: number;
  readonly most: number;
}

const SPANS: readonly Span[] = [
  { ms: 60_000, most: 480 },
  { ms: 3_600_000, most: 4_800 },
];
const LONGEST_MS = Math.max(...SPANS.map(({ ms }) => ms));

export function createRequestBudget(now: () => number): RequestBudget {
  /** Times of the requests of the longest span, the oldest first. */
  let takenAt: number[] = [];
  let heldUntil = 0;

  function freeAt({ ms, most }: Span): number {
    const earliest = takenAt.at(-most);
    return earliest === undefined ? 0 : earliest + ms;
  }

  return {
    take() {
      const at = now();
      const free = Math.max(heldUntil, ...SPANS.map(freeAt));
      if (free > at) return free - at;
      takenAt.push(at);
      if (takenAt.length > 2 * Math.max(...SPANS.map(({ most }) => most))) {
        takenAt = takenAt.filter((one) => one > at - LONGEST_MS);
      }
      return 0;
    },
    hold(ms) {
      heldUntil = Math.max(heldUntil, now() + ms);
    },
  };
}

/** One budget a project, whoever asks it. */
export function createBudgets(now: () => number): (project: string) => RequestBudget {
  const budgets = new Map<string, RequestBudget>();
  return (project) => {
    const budget = budgets.get(project) ?? createRequestBudget(now);
    budgets.set(project, budget);
    return budget;
  };
}
