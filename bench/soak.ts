/**
 * `npm run soak [-- MESSAGES]`: calls through prickle into a fake PostHog that fails in every way it knows, while prickle
 * is killed again and again. In the end the project must hold exactly what was sent, in order, each once.
 */

import { setTimeout as delay } from "node:timers/promises";
import { createWorkplace, type Served, type Workplace } from "../test/e2e/prickle-process.ts";
import { startFakePosthog } from "../test/fakes/posthog.ts";
import { SENDERS, sendCalls } from "./soak/calls.ts";
import { endFaults } from "./soak/end.ts";
import { type Watch, watch } from "./soak/watch.ts";

const WRITE_KEY = "wk_soak";
const PATIENCE_MS = 180_000;
const LEASE_S = 5;
const CONCURRENCY = 4;
const MAX_MESSAGES = 100;
/** prickle holds one claim more than it sends. */
const MOST_ON_THE_WAY = (CONCURRENCY + 1) * MAX_MESSAGES;
const MOST_ALIVE_MS = 3000;
/** Three leases: what was answered in the first two must have been noted when it ends. */
const LONG_LIFE_MS = 3 * LEASE_S * 1000;
/** One life of so many is long, beginning with the sixth, in which a short soak still has something to send. */
const LONG_LIFE_EVERY = 10;
const FIRST_LONG_LIFE = 5;
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
const watched = watch(posthog, LEASE_S * 1000, Math.random);
const workplace = await openWorkplace(posthog.url);
try {
  const kills = await play();
  watched.calm();
  await untilDelivered(workplace);
  const faults = [
    ...watched.faults,
    ...killFaults(watched),
    ...endFaults(posthog, watched, perSender),
    ...(await deadFaults(workplace, watched)),
  ];
  report(kills, faults);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await workplace.remove();
  await posthog.close();
}

function openWorkplace(host: string): Promise<Workplace> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
  const secrets = { token: "${TOKEN}" };
  const rates = { messagesPerSecond: MESSAGES_PER_SECOND, messagesPerDistinctIdPerSecond: null };
  const batches = { maxMessages: MAX_MESSAGES, concurrency: CONCURRENCY };
  return createWorkplace(
    {
      sources: { segment: { type: "segment", writeKeys: [WRITE_KEY] } },
      destinations: {
        posthog: {
          type: "posthog",
          host,
          ...secrets,
          ...rates,
          ...batches,
          historicalMigration: false,
          claimGroupTypes: false,
        },
      },
      delivery: { lease: `${LEASE_S}s` },
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
    const isLong = kills % LONG_LIFE_EVERY === FIRST_LONG_LIFE;
    await delay(isLong ? LONG_LIFE_MS : 200 + Math.random() * MOST_ALIVE_MS);
    console.error(`${watched.sent.size} of ${messages} sent, ${kills} kills`);
    still = watched.sent.size === sentBefore ? still + 1 : 0;
    if (!isLong && isTaken && (still === STILL_LIVES || watched.sent.size >= NEARLY_ALL * messages)) return kills;
    sentBefore = watched.sent.size;
    // A server that loses v1 while it is in use.
    if (Math.random() < 0.2) posthog.hasV1 = false;
    await delay(Math.random() * 300);
    const dying: Served = served;
    served = null;
    await dying.kill();
    // What it had sent is read before its death is noted: it heard no answer.
    await delay(100);
    watched.noteKill();
  }
}

async function untilDelivered({ ask }: Workplace): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(1000)) {
    if ((await ask<{ depth: number }>("status")).depth === 0) return;
  }
  throw new Error("Not everything was delivered in three minutes without failures.");
}

/** A kill loses the answers to what was on its way: to so many messages at most. */
function killFaults({ repeatedAfterKills }: Watch): readonly string[] {
  return repeatedAfterKills().flatMap((times, kill) =>
    times <= MOST_ON_THE_WAY ? [] : [`${times} events came again after kill ${kill + 1} although they were answered`],
  );
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
  const repeated = watched.repeatedAfterKills();
  console.log(
    `${repeated.reduce((sum, times) => sum + times, 0)} came again after a kill, ${Math.max(0, ...repeated)} after one at most; ${watched.mustBeNoted} were answered so long before one that they must not`,
  );
  for (const fault of faults.slice(0, MOST_SHOWN)) console.log(`FAULT ${fault}`);
  console.log(
    faults.length === 0 ? "The project holds what was sent, each once and in order." : `${faults.length} faults`,
  );
}
