/** What arrived, beside what was answered with 200: both as the numbers of each user's calls, in order. */

import type { FakePosthog } from "../fakes/posthog.ts";

export type NumbersByUser = readonly (readonly [user: string, numbers: readonly number[]])[];

/** By first arrival: what comes again after a kill is the same event. */
export function arrivedByUser(posthog: FakePosthog): NumbersByUser {
  const events = new Map(posthog.events().map((event) => [event.uuid, event]));
  const byUser = new Map<string, number[]>();
  for (const uuid of new Set(posthog.arrivals)) {
    const { distinctId = "?", properties = {} } = events.get(uuid) ?? {};
    const numbers = byUser.get(distinctId) ?? [];
    byUser.set(distinctId, numbers);
    numbers.push(Number(properties.number));
  }
  return sorted(byUser);
}

export function expectedByUser(acknowledged: ReadonlyMap<string, number>): NumbersByUser {
  return sorted(new Map([...acknowledged].map(([user, calls]) => [user, Array.from({ length: calls }, (_, n) => n)])));
}

function sorted(byUser: ReadonlyMap<string, readonly number[]>): NumbersByUser {
  return [...byUser].sort(([one], [other]) => (one < other ? -1 : 1));
}
