import { createColors } from "picocolors";
import { expect, it } from "vitest";
import { showSummary } from "../../src/cli/backfill-summary.ts";
import type { BackfillSummary } from "../../src/core/operations.ts";
import { NOTHING } from "../../src/pipeline/backfill-counts.ts";

function summaryOf(timesFall: readonly boolean[]): BackfillSummary {
  const files = timesFall.map((falls, index) => ({
    ...NOTHING,
    path: `${index}.jsonl`,
    about: "calls",
    timesFall: falls,
  }));
  return { ...NOTHING, files, leftOut: [], tookMs: 5, complete: true, reachedLimit: false, dryRun: null };
}

it("warns once of files whose newest history stands first", () => {
  const shown = (...timesFall: readonly boolean[]) => showSummary(summaryOf(timesFall), createColors(false));
  const warning = "history leaves in the order of the file, the newest first.";
  expect(shown(false, false)).not.toContain("fall");
  expect(shown(false, true)).toContain(`The times in 1.jsonl fall: ${warning}`);
  expect(shown(true, true, true).split(warning)).toHaveLength(2);
  expect(shown(true, true, true)).toContain(`The times in 0.jsonl and 2 more files fall: ${warning}`);
});
