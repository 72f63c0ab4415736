/** Segment raw logs, invented: users of several companies and projects, with calls that come twice and lines that are no use. */

import { type Chance, createChance } from "./seeded.ts";

const BEGINNING = Date.UTC(2025, 0, 6);
const MOST_BETWEEN_CALLS_MS = 1_200_000;
const USERS = 80;
const COMPANIES = 15;
const PROJECTS = 24;

export interface SegmentLog {
  /** As gzip would pack it. */
  readonly text: string;
  readonly lines: number;
  /** Lines that repeat an earlier one, and lines that make no message. */
  readonly repeated: number;
  readonly useless: number;
}

/** Traits change all the time, so that what a group ends up with depends on the order of its calls. */
export function inventSegmentLog({ seed, lines }: { readonly seed: number; readonly lines: number }): SegmentLog {
  const chance = createChance(seed);
  const log: string[] = [];
  const useful: string[] = [];
  let repeated = 0;
  let at = BEGINNING;
  for (let number = 0; number < lines; number++) {
    at += chance.below(MOST_BETWEEN_CALLS_MS);
    const dice = chance.next();
    const earlier = useful[chance.below(useful.length)];
    if (dice < 0.01 && earlier !== undefined) {
      repeated += 1;
      log.push(earlier);
    } else if (dice < 0.016) {
      log.push(inventUseless(number, at, chance));
    } else {
      const call = JSON.stringify({ ...inventCall(chance, number), ...inventFrame(number, at, chance) });
      useful.push(call);
      log.push(call);
    }
  }
  return { text: `${log.join("\n")}\n`, lines, repeated, useless: lines - repeated - useful.length };
}

function inventFrame(number: number, at: number, chance: Chance) {
  const time = new Date(at).toISOString();
  const times = { timestamp: time, originalTimestamp: time, sentAt: time, receivedAt: time };
  return {
    messageId: `call-${number}`,
    userId: `user-${chance.below(USERS)}`,
    channel: "server",
    version: 2,
    ...times,
  };
}

function inventCall(chance: Chance, number: number): object {
  const dice = chance.next();
  if (dice < 0.08) return { type: "group", groupId: company(chance), traits: inventTraits(chance, number) };
  if (dice < 0.12) {
    return {
      type: "group",
      groupId: project(chance),
      traits: { groupType: "project", ...inventTraits(chance, number) },
    };
  }
  if (dice < 0.15) return { type: "identify", traits: { visits: number } };
  if (dice < 0.2) return { type: "page", name: "Board", properties: { url: `https://app.example/${number}` } };
  return {
    type: "track",
    event: chance.pick(["Task Created", "Task Completed", "Report Viewed"]),
    properties: { number, ...(chance.next() < 0.7 ? { project_id: project(chance) } : {}) },
    context: chance.next() < 0.9 ? { groupId: company(chance) } : {},
  };
}

function inventTraits(chance: Chance, number: number): object {
  return {
    ...(chance.next() < 0.5 ? { name: chance.pick(["Acme", "Blume", "Corvid"]) } : {}),
    ...(chance.next() < 0.5 ? { plan: chance.pick(["free", "pro", "enterprise"]) } : {}),
    ...(chance.next() < 0.3 ? { address: { city: chance.pick(["Graz", "Lima", "Oslo"]) } } : {}),
    lastCall: number,
  };
}

function inventUseless(number: number, at: number, chance: Chance): string {
  const frame = inventFrame(number, at, chance);
  return chance.pick([
    JSON.stringify({ ...frame, type: "delete" }),
    JSON.stringify({ ...frame, type: "group", groupId: `team-${number}`, traits: { groupType: "squad" } }),
    `{"type":"track","event":"Cut short`,
  ]);
}

function company(chance: Chance): string {
  return `company-${chance.below(COMPANIES)}`;
}

function project(chance: Chance): string {
  return `project-${chance.below(PROJECTS)}`;
}
