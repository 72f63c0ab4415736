/** What the people of one customer do on one day, as calls. */

import { type Call, completeCall } from "./call.ts";
import { type Customer, type Person, type Project, subscriptionOn } from "./customer.ts";
import type { Chance } from "./random.ts";
import { EVENTS, PAGES, SCREENS } from "./words.ts";

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Percentage of a customer's people at work, by day of the week, Monday first. */
const AT_WORK = [24, 28, 29, 27, 20, 3, 2] as const;
/** The last days of August and September. */
const MONTH_ENDS = new Set([28, 58]);

/** Each event as often as its share says. */
const EVENT_DECK = EVENTS.flatMap((event) => Array.from({ length: event.share }, () => event));

export interface Day {
  /** Counted from the first day of the sample, a Monday. */
  readonly day: number;
  readonly startMs: number;
}

/** In no order of time yet. */
export function callsOf(customer: Customer, { day, startMs }: Day): readonly Call[] {
  if (day < customer.fromDay) return [];
  const { chance, groupId, people, projects } = customer;
  const calls: Call[] = [];
  const present = people.filter(({ fromDay }) => fromDay <= day);
  const signedUp = day === customer.fromDay;

  if (subscriptionCallDue(customer, day))
    calls.push(companyCall(customer, day, startMs + 6 * HOUR_MS + chance.below(HOUR_MS)));
  if (customer.leavesOn !== null && day >= customer.leavesOn) return calls;
  for (const person of present) if (person.fromDay === day) calls.push(...arrival(customer, person, startMs, signedUp));
  for (const project of projects) {
    if (project.fromDay === day) calls.push(...projectStart(customer, project, startMs + 9 * HOUR_MS));
  }
  const running = projects.filter(({ fromDay }) => fromDay <= day);
  const share = AT_WORK[day % 7] ?? 0;
  for (const person of present) {
    if (chance.percent(share)) calls.push(...work(person, running, groupId, startMs, chance));
  }
  return calls;
}

/** When something about the subscription changed, and at the end of a month, when billing tells everything again. */
function subscriptionCallDue(customer: Customer, day: number): boolean {
  if (day === customer.fromDay || MONTH_ENDS.has(day)) return true;
  const today = JSON.stringify(subscriptionOn(customer, day));
  return today !== JSON.stringify(subscriptionOn(customer, day - 1));
}

function companyCall(customer: Customer, day: number, atMs: number): Call {
  const { groupId, name, industry, country, domain, people } = customer;
  const traits = {
    name,
    industry,
    country,
    website: `https://${domain}`,
    ...subscriptionOn(customer, day),
  };
  return completeCall("server", atMs, { type: "group", userId: people[0]?.userId ?? "", groupId, traits }, groupId);
}

/** Somebody's first day: anonymous at first, then known by name and as one of the company's. */
function arrival(customer: Customer, person: Person, startMs: number, founder: boolean): readonly Call[] {
  const { groupId, chance } = customer;
  const { userId, anonymousId, name, email } = person;
  const traits = { name: customer.name };
  const at = startMs + 8 * HOUR_MS + chance.below(HOUR_MS);
  const page = founder ? "Pricing" : "Invitation";
  return [
    completeCall("browser", at, { type: "page", anonymousId, name: page, properties: pageProperties(page) }),
    completeCall("browser", at + 61_000, { type: "alias", userId, previousId: anonymousId }),
    completeCall("browser", at + 62_000, {
      type: "identify",
      userId,
      anonymousId,
      traits: { name, email, role: founder ? "owner" : "member" },
    }),
    completeCall("browser", at + 63_000, { type: "group", userId, groupId, traits }, groupId),
  ];
}

function projectStart({ groupId, people, chance }: Customer, project: Project, startMs: number): readonly Call[] {
  const userId = people[0]?.userId ?? "";
  const at = startMs + HOUR_MS + chance.below(HOUR_MS);
  const { id, name, template } = project;
  const traits = { groupType: "project", name, template, company_id: groupId, createdAt: new Date(at).toISOString() };
  return [
    completeCall("server", at, { type: "group", userId, groupId: id, traits }, groupId),
    completeCall(
      "browser",
      at + 1000,
      { type: "track", userId, event: "Project Created", properties: { project_id: id, template } },
      groupId,
    ),
  ];
}

function work(
  person: Person,
  projects: readonly Project[],
  groupId: string,
  startMs: number,
  chance: Chance,
): readonly Call[] {
  const { userId, mobile } = person;
  const channel = mobile && chance.percent(60) ? "mobile" : "browser";
  let at = startMs + 7 * HOUR_MS + chance.below(9 * HOUR_MS);
  const name = channel === "mobile" ? chance.pick(SCREENS) : chance.pick(PAGES);
  const seen =
    channel === "mobile"
      ? { type: "screen", userId, name }
      : { type: "page", userId, name, properties: pageProperties(name) };
  const calls = chance.percent(45) ? [completeCall(channel, at, seen, groupId)] : [];
  for (let left = 1 + chance.below(3); left > 0; left--) {
    at += 20_000 + chance.below(HOUR_MS / 2);
    const { event, task } = chance.pick(EVENT_DECK);
    const project_id = chance.pick(projects).id;
    const properties = task ? { project_id, task_id: `t_${chance.below(100_000)}` } : { project_id };
    calls.push(completeCall(channel, at, { type: "track", userId, event, properties }, groupId));
  }
  return calls;
}

function pageProperties(title: string): object {
  const path = `/${title.toLowerCase().replaceAll(" ", "-")}`;
  return { title, path, url: `https://app.plankton.example${path}` };
}
