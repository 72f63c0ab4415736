/** What the project holds once all was delivered, beside what it must hold. */

import { isDeepStrictEqual } from "node:util";
import type { FakePosthog } from "../../test/fakes/posthog.ts";
import { callOf, groupsAfter, personsAfter, SENDERS } from "./calls.ts";
import type { Watch } from "./watch.ts";

type Bags = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

export function endFaults(posthog: FakePosthog, watched: Watch, perSender: number): readonly string[] {
  const senders = [...new Array(SENDERS).keys()];
  const groups = new Map(
    senders.flatMap((sender) => [...groupsAfter(sender, perSender)].map(([key, bag]) => [`company\0${key}`, bag])),
  );
  const persons = new Map(senders.flatMap((sender) => [...personsAfter(sender, perSender)]));
  return [
    ...eventFaults(posthog, watched, perSender),
    ...bagFaults(posthog.groups, groups),
    ...bagFaults(posthog.persons, persons),
    ...(isDeepStrictEqual(posthog.groupTypes, ["company"]) ? [] : [`the group types are ${posthog.groupTypes}`]),
  ];
}

/** Each with its properties and no others; none that nobody sent. */
function bagFaults(held: Bags, expected: Bags): readonly string[] {
  const shown = (bag: unknown) => (bag === undefined ? "not there" : JSON.stringify(bag));
  return [...new Set([...held.keys(), ...expected.keys()])].flatMap((name) => {
    const [is, must] = [held.get(name), expected.get(name)];
    return isDeepStrictEqual(is, must) ? [] : [`${name} is ${shown(is)} instead of ${shown(must)}`];
  });
}

/** Each once, those that PostHog dropped included. */
function eventFaults(posthog: FakePosthog, { sent, dropped }: Watch, perSender: number): readonly string[] {
  const faults: string[] = [];
  const stored = new Map<string, number>();
  for (const { distinctId, properties, event } of posthog.events()) {
    if (event !== "Counted") continue;
    const name = `${distinctId} ${properties.number}`;
    stored.set(name, 1 + (stored.get(name) ?? 0));
  }
  for (const uuid of dropped()) {
    const { distinctId, number } = sent.get(uuid) ?? { distinctId: "?", number: Number.NaN };
    if (!stored.has(`${distinctId} ${number}`)) stored.set(`${distinctId} ${number}`, 1);
  }
  let expected = 0;
  for (let sender = 0; sender < SENDERS; sender++) {
    for (let number = 0; number < perSender; number++) {
      const { type, userId } = callOf(sender, number);
      if (type !== "track") continue;
      expected += 1;
      const times = stored.get(`${userId} ${number}`) ?? 0;
      if (times !== 1) faults.push(`${userId} ${number} is there ${times} times`);
    }
  }
  const held = stored.values().reduce((sum, times) => sum + times, 0);
  if (held !== expected) faults.push(`${held} events are there instead of ${expected}`);
  return faults;
}
