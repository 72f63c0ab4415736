/**
 * `npm run soak [-- MESSAGES]`: calls through prickle into a fake PostHog that fails in every way it knows, while prickle
 * is killed again and again. In the end the project must hold exactly what was sent, in order, each once.
 */

import { setTimeout as delay } from "node:timers/promises";
import { createWorkplace, type Served, type Workplace } from "../test/e2e/prickle-process.ts";
import { type FakePosthog, startFakePosthog } from "../test/fakes/posthog.ts";
import { callOf, groupsAfter, SENDERS, sendCalls } from "./soak/calls.ts";
import { type Watch, watch } from "./soak/watch.ts";

const WRITE_KEY = "wk_soak";
const PATIENCE_MS = 180_000;
const LEASE = "10s";
const MOST_ALIVE_MS = 3000;
/** Else a short soak would be over before anything happened. */
const MESSAGES_PER_SECOND = 1500;
/** Lives of prickle in which nothing new came: then what is left waits for the calm. */
const STILL_LIVES = 4;
const NEARLY_ALL = 0.98;
const MOST_SHOWN = 100;

const messages = Number(process.argv[2] ?? 200_000);
const perSender = Math.ceil(messages / SENDERS);
const startedAt = Date.now();
const posthog = await startFakePosthog();
const watched = watch(posthog, Math.random);
const workplace = await openWorkplace(posthog.url);
try {
  const kills = await play();
  watched.calm();
  await untilDelivered(workplace);
  const faults = [...watched.faults, ...endFaults(posthog, watched), ...(await deadFaults(workplace, watched))];
  report(kills, faults);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await workplace.remove();
  await posthog.close();
}

function openWorkplace(host: string): Promise<Workplace> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
  const secrets = { token: "${TOKEN}" };
  const rates = { messagesPerSecond: MESSAGES_PER_SECOND, messagesPerDistinctIdPerSecond: null, maxMessages: 100 };
  return createWorkplace(
    {
      sources: { segment: { type: "segment", writeKeys: [WRITE_KEY] } },
      destinations: { posthog: { type: "posthog", host, ...secrets, ...rates, historicalMigration: false } },
      delivery: { lease: LEASE },
      log: { level: "warn" },
    },
    { env: { TOKEN: "phc_soak" } },
  );
}

/** Kills prickle every few seconds until all calls are taken and nearly all sent; gives how often. It is left running. */
async function play(): Promise<number> {
  let served: Served | null = null;
  let isTaken = false;
  const senders = Array.from({ length: SENDERS }, (_, sender) =>
    sendCalls(sender, perSender, () => served?.url ?? null, WRITE_KEY),
  );
  void Promise.all(senders).then(() => {
    isTaken = true;
  });
  let sentBefore = 0;
  let still = 0;
  for (let kills = 0; ; kills++) {
    posthog.hasV1 = Math.random() < 0.8;
    served = await workplace.serve();
    await delay(200 + Math.random() * MOST_ALIVE_MS);
    console.error(`${watched.sent.size} of ${messages} sent, ${kills} kills`);
    still = watched.sent.size === sentBefore ? still + 1 : 0;
    if (isTaken && (still === STILL_LIVES || watched.sent.size >= NEARLY_ALL * messages)) return kills;
    sentBefore = watched.sent.size;
    // A server that loses v1 while it is in use.
    if (Math.random() < 0.2) posthog.hasV1 = false;
    await delay(Math.random() * 300);
    const dying: Served = served;
    served = null;
    await dying.kill();
    watched.noteKill();
  }
}

async function untilDelivered({ ask }: Workplace): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(1000)) {
    if ((await ask<{ depth: number }>("status")).depth === 0) return;
  }
  throw new Error("Not everything was delivered in three minutes without failures.");
}

/** What the project holds, beside what it must hold. */
function endFaults({ events, groups }: FakePosthog, { sent, dropped }: Watch): readonly string[] {
  const faults: string[] = [];
  const gone = dropped();
  const stored = new Map<string, number>();
  for (const { distinctId, properties, event } of events()) {
    if (event !== "Counted") continue;
    const name = `${distinctId} ${properties.number}`;
    stored.set(name, 1 + (stored.get(name) ?? 0));
  }
  for (const uuid of gone) {
    const { distinctId, number } = sent.get(uuid) ?? { distinctId: "?", number: Number.NaN };
    if (!stored.has(`${distinctId} ${number}`)) stored.set(`${distinctId} ${number}`, 1);
  }
  let expected = 0;
  for (let sender = 0; sender < SENDERS; sender++) {
    for (const [key, properties] of groupsAfter(sender, perSender)) {
      const held = groups.get(`company\0${key}`) ?? {};
      for (const [name, value] of Object.entries(properties))
        if (held[name] !== value) faults.push(`${key}: ${name} is ${held[name]} instead of ${value}`);
    }
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

async function deadFaults({ ask }: Workplace, { dropped }: Watch): Promise<readonly string[]> {
  const { destinations } = await ask<{ destinations: readonly { dead: number }[] }>("status");
  const dead = destinations[0]?.dead ?? 0;
  return dead === dropped().size ? [] : [`${dead} dead letters instead of ${dropped().size}`];
}

function report(kills: number, faults: readonly string[]): void {
  const made = [...watched.made].toSorted().map(([name, times]) => `${name} ${times}`);
  console.log(
    `${perSender * SENDERS} calls, ${kills} kills, ${posthog.arrivals.length} events arrived, ${posthog.events().length} kept, ${watched.dropped().size} dropped, ${Math.round((Date.now() - startedAt) / 1000)} s`,
  );
  console.log(`answers: ${made.join(", ")}`);
  for (const fault of faults.slice(0, MOST_SHOWN)) console.log(`FAULT ${fault}`);
  console.log(
    faults.length === 0 ? "The project holds what was sent, each once and in order." : `${faults.length} faults`,
  );
}
