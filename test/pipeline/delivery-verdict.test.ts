/** What becomes of a message that was not delivered: when it is due again, and when it is given up. */

import { expect, it } from "vitest";
import type { Outcome } from "../../src/core/destination.ts";
import { CALLED_OFF, PAUSED } from "../../src/pipeline/delivery-send.ts";
import { createVerdict } from "../../src/pipeline/delivery-verdict.ts";
import { createManualClock } from "../fakes/clock.ts";
import { groupIdentify, toOutbox } from "../fakes/outbox.ts";

const HOUR = 3_600_000;
const clock = createManualClock();
const decide = createVerdict({
  clock,
  random: () => 0,
  retryHorizonMs: HOUR,
  pace: { pausedUntil: () => 0 },
  suspects: { isGuilty: () => true },
});

const inLane = (lane: number, seq: number) => ({ ...toOutbox(groupIdentify("acme", seq), seq), lane });
const outdated = { ...inLane(0, 1), attempts: 9, firstAttemptAt: clock.now() - HOUR };
const retry = (reason: string, more: object = {}): Outcome => ({ kind: "retry", reason, ...more });

it("gives up what failed for too long, for the reason it failed for, and never for an attempt that was not made", () => {
  expect(decide([outdated], [retry("PostHog answered 500")])).toEqual([
    { kind: "dead", reason: "tried for 1 hours: PostHog answered 500" },
  ]);
  for (const untried of [CALLED_OFF, PAUSED]) {
    expect(decide([outdated], [retry(untried)])).toMatchObject([{ kind: "retry", isUntried: true }]);
  }
});

it("holds back a lane for the longest that one of its messages may not be sent again, and no other", () => {
  const messages = [inLane(1, 1), inLane(1, 2), inLane(2, 1)];
  const outcomes = decide(messages, [retry("x", { afterMs: 0 }), retry("x", { afterMs: 60_000 }), retry("x")]);
  const waits = outcomes.map((outcome) => (outcome.kind === "retry" ? outcome.dueAt - clock.now() : null));
  expect(waits).toEqual([60_000, 60_000, 100]);
});
