/** What the soak sends: each sender's calls in order, about people and companies of its own, and what must come of them. */

export const SENDERS = 4;
const USERS = 1600;
const COMPANIES = 500;
const BEGINNING = Date.UTC(2026, 9, 1);

export interface Call {
  readonly type: "track" | "group" | "identify";
  readonly userId: string;
  readonly messageId: string;
  readonly timestamp: string;
  readonly groupId?: string;
  readonly event?: string;
  readonly traits?: object;
  readonly properties?: object;
  readonly context?: object;
}

/** Call `number` of a sender; of five, one is about a company and one about a person. */
export function callOf(sender: number, number: number): Call {
  const userId = `user-${sender}-${(number * 7) % USERS}`;
  const company = `company-${sender}-${(number * 3) % COMPANIES}`;
  const base = { userId, messageId: `${sender}/${number}`, timestamp: new Date(BEGINNING + number).toISOString() };
  switch (number % 5) {
    case 0:
      return {
        ...base,
        type: "group",
        groupId: company,
        traits: { name: company, number, [`only_${number % 3}`]: number },
      };
    case 1:
      return { ...base, type: "identify", traits: { number } };
    default:
      return {
        ...base,
        type: "track",
        event: "Counted",
        properties: { number, sender },
        context: { groupId: company },
      };
  }
}

/** Group → its properties, of which the mapping adds `group_key`, once a sender's calls up to `count` have arrived. */
export function groupsAfter(sender: number, count: number): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const groups = new Map<string, Record<string, unknown>>();
  for (let number = 0; number < count; number++) {
    const { groupId, traits } = callOf(sender, number);
    if (groupId !== undefined) groups.set(groupId, { ...groups.get(groupId), group_key: groupId, ...traits });
  }
  return groups;
}

/** Person → its properties once a sender's calls up to `count` have arrived. */
export function personsAfter(sender: number, count: number): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const persons = new Map<string, object>();
  for (let number = 0; number < count; number++) {
    const { type, userId, traits } = callOf(sender, number);
    if (type === "identify") persons.set(userId, { ...persons.get(userId), ...traits });
  }
  return new Map([...persons].map(([userId, traits]) => [userId, { ...traits }]));
}

/** Sends until `count` calls are answered with 200, the same request again until it is; resolves then. */
export async function sendCalls(
  sender: number,
  count: number,
  url: () => string | null,
  writeKey: string,
): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}`;
  const headers = { authorization, "content-type": "application/json" };
  for (let from = 0; from < count; from += CALLS_PER_REQUEST) {
    const calls = Array.from({ length: Math.min(CALLS_PER_REQUEST, count - from) }, (_, at) =>
      callOf(sender, from + at),
    );
    // Without sentAt: corrected by how long each request took, times would not be in the order of the calls.
    const body = JSON.stringify({ batch: calls });
    while (!(await isTaken(url(), { method: "POST", headers, body }))) await pause(20);
    await pause(PAUSE_MS);
  }
}

const CALLS_PER_REQUEST = 100;
/** So that prickle is killed while calls come in. */
const PAUSE_MS = 10;

async function isTaken(base: string | null, request: RequestInit): Promise<boolean> {
  if (base === null) return false;
  const answer = await fetch(`${base}/v1/batch`, request).catch(() => null);
  await answer?.arrayBuffer().catch(() => null);
  return answer?.status === 200;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
