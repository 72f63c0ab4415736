/** What a probe says of the host: whether it takes events, by which protocol, and how its clock goes. */

import { type Check, fine, leftOut, problem, type Told, warning } from "../../../core/checkup.ts";
import type { Probe, ProbeAnswer } from "./probe.ts";

/** The cloud's app, with the region it is of: its host for events is another. */
const APP_HOST = /^(?:(us|eu|app)\.)?posthog\.com$/;
const SLOW_MS = 3_000;
const NOTICED_SKEW_MS = 30_000;
const BAD_SKEW_MS = 10 * 60_000;
const NOTHING_ARRIVES = "Nothing can be delivered; messages wait in the outbox.";

export function checkHost(host: string, { v0, v1 }: Probe): Check {
  const { hostname, origin } = new URL(host);
  const speaks = [v0, v1].some(({ kind }) => isSpoken(kind));
  const [, region] = APP_HOST.exec(hostname) ?? [];
  if (APP_HOST.test(hostname)) {
    const ingestion = region === "eu" ? "https://eu.i.posthog.com" : "https://us.i.posthog.com";
    return (speaks ? warning : problem)("host", {
      found: `${origin} is the host of PostHog's app.`,
      means: "Events belong on the ingestion host of the region.",
      todo: `host: ${ingestion}`,
    });
  }
  if (v0.kind === "unreached" && v1.kind === "unreached") return problem("host", unreached(origin, v0.reason));
  if (!speaks) return problem("host", stranger(origin, v0.kind === "unreached" ? v1 : v0));
  return reached(origin, [v0, v1]);
}

function reached(origin: string, answers: readonly ProbeAnswer[]): Check {
  const busy = answers.find((answer) => answer.kind === "busy");
  if (busy && busy.kind !== "unreached") {
    return warning("host", {
      found: `${origin} takes nothing at the moment: it answered ${busy.status}: ${busy.text}`,
      means: "Messages wait and are sent later.",
      todo: "Look again in a while; status.posthog.com tells of incidents.",
    });
  }
  const slowest = Math.max(...answers.map((one) => (one.kind === "unreached" ? 0 : one.receivedAt - one.sentAt)));
  if (slowest < SLOW_MS) return fine("host", `${origin} takes events.`);
  return warning("host", {
    found: `${origin} takes events, but answers after ${(slowest / 1000).toFixed(1)} s.`,
    means: "Deliveries are slow; those that take too long are repeated.",
    todo: "Look at the network between here and there.",
  });
}

function unreached(origin: string, reason: string): Told {
  const found = `${origin} was not reached: ${reason}`;
  if (/ENOTFOUND|EAI_AGAIN/.test(reason))
    return { found, means: NOTHING_ARRIVES, todo: "Is the name of the host right?" };
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|SSL|ALTNAME/i.test(reason)) {
    return {
      found,
      means: NOTHING_ARRIVES,
      todo: "Its certificate is not trusted here: NODE_EXTRA_CA_CERTS names one that is.",
    };
  }
  if (/TIMEOUT|Abort/i.test(reason)) {
    return {
      found,
      means: NOTHING_ARRIVES,
      todo: "It, or what stands before it, does not answer: look for a firewall or proxy.",
    };
  }
  return { found, means: NOTHING_ARRIVES, todo: "Does it run, and may this machine reach it?" };
}

/** Somebody answers, but not as PostHog's capture does. */
function stranger(origin: string, answer: ProbeAnswer): Told {
  if (answer.kind === "unreached") return unreached(origin, answer.reason);
  const { status, text, location } = answer;
  if (status === 407) {
    const todo = "A proxy wants a password: let prickle pass it by.";
    return { found: `${origin} answered 407.`, means: NOTHING_ARRIVES, todo };
  }
  if (location !== null) {
    const found = `${origin} answered ${status} and leads to ${location}.`;
    return {
      found,
      means: "Redirects are not followed: nothing can be delivered.",
      todo: "Name that host, if it is PostHog's.",
    };
  }
  const found = `${origin} does not take events: it answered ${status}: ${text}`;
  const todo = text.startsWith("<")
    ? "A web page answers: a proxy, or another server than PostHog."
    : "Is the host, and the path in it, right?";
  return { found, means: NOTHING_ARRIVES, todo };
}

function isSpoken(kind: ProbeAnswer["kind"]): boolean {
  return kind === "there" || kind === "refused" || kind === "busy";
}

export function checkProtocol(wanted: string, { v0, v1 }: Probe): Check {
  const there = [isSpoken(v0.kind) ? "v0" : null, isSpoken(v1.kind) ? "v1" : null].filter((one) => one !== null);
  if (there.length === 0) return leftOut("protocol", "The host does not answer as PostHog does.");
  const refused = [v0, v1].find(({ kind }) => kind === "refused");
  if (refused && refused.kind !== "unreached") {
    return problem("protocol", {
      found: `PostHog refuses the token: it answered ${refused.status}: ${refused.text}`,
      means: NOTHING_ARRIVES,
      todo: "Copy the project token (phc_…) from the settings of the project in PostHog.",
    });
  }
  const found = `The server speaks ${there.join(" and ")}; protocol is ${wanted}.`;
  if (wanted === "auto" || there.includes(wanted)) return fine("protocol", found);
  return problem("protocol", { found, means: NOTHING_ARRIVES, todo: `protocol: ${there.at(-1)}, or auto` });
}

export function checkClock({ v0, v1 }: Probe): Check {
  const timed = [v0, v1].find((one) => one.kind !== "unreached" && one.serverAt !== null);
  if (!timed || timed.kind === "unreached" || timed.serverAt === null) {
    return leftOut("clock", "No answer said what time it is there.");
  }
  // A Date header has whole seconds.
  const skewMs = (timed.sentAt + timed.receivedAt) / 2 - (timed.serverAt + 500);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) < NOTICED_SKEW_MS) return fine("clock", "The clock here agrees with the server's.");
  const told = {
    found: `The clock here is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} the server's.`,
    means: "Events without a time of their own get this clock's, and PostHog shows them at a wrong time.",
    todo: "Set the clock of this machine, by NTP.",
  };
  return Math.abs(skewMs) < BAD_SKEW_MS ? warning("clock", told) : problem("clock", told);
}
