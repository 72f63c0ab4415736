import { createColors } from "picocolors";
import { expect, it } from "vitest";
import { showStatus } from "../../src/cli/status.ts";
import type { LaneStatus } from "../../src/core/ledger.ts";
import type { PrickleStatus } from "../../src/core/operations.ts";
import { NO_COUNTS } from "../fakes/ledger-status.ts";

const NOW = Date.UTC(2026, 10, 24);
const HELD: LaneStatus = { lane: 70, service: "historical", depth: 1_900, attempts: 3, lastFailure: "429" };
const STATUS: PrickleStatus = {
  lanes: 64,
  destinations: [
    {
      name: "posthog",
      depth: 2_000,
      oldestCommittedAt: NOW - 60_000,
      services: {
        live: { depth: 100, oldestCommittedAt: NOW - 1_000 },
        historical: { depth: 1_900, oldestCommittedAt: NOW - 60_000 },
      },
      nextDueAt: NOW,
      delivered: 7,
      retried: 3,
      dead: 0,
      waitingLanes: [{ ...HELD, lane: 6, service: "live", depth: 100, lastFailure: null }, HELD],
    },
  ],
  depth: 2_000,
  ...NO_COUNTS,
  committed: 2_007,
  health: [],
};

it("tells how much of what waits is history, and of which service a lane is that is held back", () => {
  const lines = showStatus(STATUS, createColors(false), NOW)
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
  const [columns = [], values = []] = lines.filter(([first]) => first === "destination" || first === "posthog");
  expect(columns.slice(0, 3)).toEqual(["destination", "waiting", "history"]);
  expect(values.slice(0, 3)).toEqual(["posthog", "2,000", "1,900"]);
  expect(lines).toContainEqual(["posthog", "70", "historical", "1,900", "3", "429"]);
  expect(lines).toContainEqual(["lanes held back: 1 of 128"]);
});
