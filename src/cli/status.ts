/** `prickle status`: what waits, what was delivered, what was refused or given up. */

import { Command } from "commander";
import type { DestinationHealth } from "../core/destination.ts";
import type { DestinationStatus } from "../core/ledger.ts";
import type { PrickleStatus } from "../core/operations.ts";
import { SERVICES } from "../core/service.ts";
import { type Colors, invocationOf } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { bytes, count, listOf, showTable, span, time } from "./show-table.ts";

const LANES_SHOWN = 10;

export function statusCommand(): Command {
  return new Command("status")
    .summary("what waits, what was delivered, refused and given up")
    .description(
      "Shows the outbox: messages that wait, for each destination, how many of them are history (old events of a backfill,\n" +
        "which leave at a rate of their own), how long the oldest has waited and when the next try is;\n" +
        "what was committed, left out as seen before, rejected and given up; and the lanes that are held back, with the reason.",
    )
    .addHelpText("after", "\nExamples:\n  $ prickle status\n  $ prickle status --json | jq .depth")
    .action(async (_options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      const status = await withOperations(configOptions, {}, (operations) => operations.status());
      answer(status, (paint) => showStatus(status, paint, Date.now()));
    });
}

export function showStatus(status: PrickleStatus, paint: Colors, now: number): string {
  const { depth, committed, duplicates, rejected, sizeBytes, rejectedByReason, destinations } = status;
  const lines = [
    `${paint.bold(count(depth))} waiting · ${count(committed)} committed · ${count(duplicates)} seen before · ` +
      `${count(rejected)} rejected · ${bytes(sizeBytes)} on disk`,
  ];
  if (rejected > 0) lines.push(paint.dim(`rejected: ${listOf(rejectedByReason)}`));
  const { saved, stale, attributed } = status;
  if (saved + stale + attributed > 0)
    lines.push(
      `${count(saved)} group identifies saved · ${count(stale)} properties came too late · ${count(attributed)} events gained a group`,
    );
  if (status.expired > 0) lines.push(`${count(status.expired)} dead letters expired (ledger.deadLetterDays)`);
  lines.push("", showDestinations(destinations, paint, now));
  lines.push(...status.health.flatMap((health) => showHealth(health, paint, now)));
  const held = destinations.flatMap(({ name, waitingLanes }) =>
    waitingLanes.filter(({ lastFailure }) => lastFailure !== null).map((lane) => ({ name, ...lane })),
  );
  if (held.length === 0) return lines.join("\n");
  const worst = held.toSorted((one, other) => other.attempts - one.attempts).slice(0, LANES_SHOWN);
  const rows = worst.map(({ name, lane, service, depth, attempts, lastFailure }) => [
    name,
    count(lane),
    service,
    count(depth),
    count(attempts),
    lastFailure ?? "",
  ]);
  lines.push(
    "",
    paint.bold(`lanes held back: ${held.length} of ${SERVICES.length * status.lanes}`),
    showTable(LANE_COLUMNS, rows, paint),
  );
  return lines.join("\n");
}

function showDestinations(destinations: readonly DestinationStatus[], paint: Colors, now: number): string {
  const rows = destinations.map(
    ({ name, depth, services, oldestCommittedAt, nextDueAt, delivered, retried, dead, waitingLanes }) => [
      name,
      count(depth),
      count(services.historical.depth),
      oldestCommittedAt === null ? "–" : span(now - oldestCommittedAt),
      nextDueAt === null ? "–" : nextDueAt <= now ? "now" : time(nextDueAt),
      count(waitingLanes.length),
      count(delivered),
      count(retried),
      dead > 0 ? paint.red(count(dead)) : "0",
    ],
  );
  return showTable(DESTINATION_COLUMNS, rows, paint);
}

/** One line for a destination that has something to say: how it is spoken to, and what holds it back. */
function showHealth(health: DestinationHealth, paint: Colors, now: number): readonly string[] {
  const { name, protocol, state, reason, pausedUntil, concurrency, maxConcurrency } = health;
  const said = [
    ...(protocol === null ? [] : [`protocol ${protocol}`]),
    ...(state === "up" ? [] : [paint.red(STATES[state])]),
    ...(concurrency === maxConcurrency ? [] : [`${concurrency} of ${maxConcurrency} requests at once`]),
    ...(pausedUntil === null || pausedUntil <= now ? [] : [`paused for ${span(pausedUntil - now)}`]),
    ...(reason === null ? [] : [reason]),
  ];
  return said.length === 0 ? [] : [`${name}: ${said.join(" · ")}`];
}

const STATES = {
  probing: "takes nothing; one message at a time is tried",
  blocked: "takes nothing until somebody changes something",
} as const;

const DESTINATION_COLUMNS = [
  { name: "destination" },
  { name: "waiting", align: "right" },
  { name: "history", align: "right" },
  { name: "oldest", align: "right" },
  { name: "next try", align: "right" },
  { name: "lanes", align: "right" },
  { name: "delivered", align: "right" },
  { name: "retried", align: "right" },
  { name: "dead", align: "right" },
] as const;

const LANE_COLUMNS = [
  { name: "destination" },
  { name: "lane", align: "right" },
  { name: "service" },
  { name: "waiting", align: "right" },
  { name: "attempts", align: "right" },
  { name: "last failure" },
] as const;
