/** A customer of Plankton over the ninety days: who works there, on what, when they came and whether they left. */

import { type Chance, createChance } from "./random.ts";
import { COMPANIES, type CompanyWords, FIRST_NAMES, PLANS, PROJECT_NAMES, TEMPLATES } from "./words.ts";

/** Days of the sample, counted from its first. */
export const DAYS = 90;
/** Customers before the first day. */
const EARLY_CUSTOMERS = 18;
/** Every so many customers, one leaves. */
const LEAVES_EVERY = 8;

export interface Customer extends CompanyWords {
  readonly groupId: string;
  readonly domain: string;
  /** Day it is first seen on. */
  readonly fromDay: number;
  /** Day it leaves on, or null. */
  readonly leavesOn: number | null;
  /** Day it takes the next larger plan on, or null. */
  readonly upgradesOn: number | null;
  readonly people: readonly Person[];
  readonly projects: readonly Project[];
  readonly chance: Chance;
}

export interface Person {
  readonly userId: string;
  readonly anonymousId: string;
  readonly name: string;
  readonly email: string;
  readonly fromDay: number;
  readonly mobile: boolean;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly template: string;
  readonly fromDay: number;
}

export interface Subscription {
  readonly status: "trial" | "active" | "churned";
  readonly plan: string;
  readonly seats: number;
  readonly mrr: number;
}

export function createCustomers(seed: string): readonly Customer[] {
  return COMPANIES.map((words, index) => createCustomer(words, index, createChance(seed, words.name)));
}

/** What the customer pays for on `day`. */
export function subscriptionOn(customer: Customer, day: number): Subscription {
  const seats =
    customer.people.filter(({ fromDay }) => fromDay <= day).length * (SEATS_PER_PERSON[customer.size - 1] ?? 1);
  if (customer.leavesOn !== null && day >= customer.leavesOn)
    return { status: "churned", plan: "free", seats: 0, mrr: 0 };
  const trial = day < customer.fromDay + TRIAL_DAYS && customer.fromDay > 0;
  const upgraded = customer.upgradesOn !== null && day >= customer.upgradesOn ? 1 : 0;
  const { plan, seatPrice } = PLANS[Math.min(customer.size - 1 + upgraded, PLANS.length - 1)] ?? PLANS[0];
  return { status: trial ? "trial" : "active", plan, seats, mrr: trial ? 0 : seats * seatPrice };
}

const TRIAL_DAYS = 14;
/** By size − 1: the sample shows one in so many of a customer's people. */
const SEATS_PER_PERSON = [1, 3, 8, 40];

function createCustomer(words: CompanyWords, index: number, chance: Chance): Customer {
  const late = index - EARLY_CUSTOMERS;
  const fromDay = late < 0 ? 0 : 3 + Math.floor((late * (DAYS - 18)) / (COMPANIES.length - EARLY_CUSTOMERS));
  const leaves = index % LEAVES_EVERY === LEAVES_EVERY - 1;
  const domain = `${asciiSlug(words.name)}.example`;
  return {
    ...words,
    groupId: `co_${101 + index}`,
    domain,
    fromDay,
    leavesOn: leaves ? Math.min(DAYS - 5, fromDay + 30 + chance.below(25)) : null,
    upgradesOn: !leaves && chance.percent(40) ? fromDay + 16 + chance.below(50) : null,
    people: createPeople(words, domain, fromDay, index, chance),
    projects: createProjects(words, fromDay, index, chance),
    chance,
  };
}

function createPeople(
  { size }: CompanyWords,
  domain: string,
  fromDay: number,
  index: number,
  chance: Chance,
): readonly Person[] {
  const count = 2 + size * 2 + chance.below(3);
  return Array.from({ length: count }, (_, at) => {
    const name = FIRST_NAMES[(index * 7 + at) % FIRST_NAMES.length] ?? "Ada";
    return {
      userId: `u_${1000 + index * 20 + at}`,
      anonymousId: `anon-${(chance.below(2 ** 31) + 2 ** 31).toString(16)}`,
      name,
      email: `${asciiSlug(name)}@${domain}`,
      // The first half is there from the start, the others join over the weeks.
      fromDay: at < count / 2 ? fromDay : fromDay + 2 + chance.below(60),
      mobile: chance.percent(30),
    };
  });
}

function createProjects({ size }: CompanyWords, fromDay: number, index: number, chance: Chance): readonly Project[] {
  return Array.from({ length: size + chance.below(2) }, (_, at) => ({
    id: `prj_${2000 + index * 10 + at}`,
    name: PROJECT_NAMES[(index * 5 + at * 3) % PROJECT_NAMES.length] ?? "Roadmap",
    template: chance.pick(TEMPLATES),
    fromDay: at === 0 ? fromDay : fromDay + chance.below(45),
  }));
}

function asciiSlug(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[^\p{ASCII}]/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
