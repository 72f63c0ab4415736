/** Everything `prickle doctor` looks at in one PostHog destination. Sends no event, and changes nothing. */

import { type Check, leftOut } from "../../../core/checkup.ts";
import type { ProjectApi } from "../private-api/client.ts";
import { checkClock, checkHost, checkProtocol } from "./host.ts";
import { checkPersonalKey, checkToken } from "./keys.ts";
import { type ProbeOptions, probeCapture } from "./probe.ts";
import { checkProject, type ProjectChecks } from "./project.ts";

export interface ExamineOptions extends ProbeOptions, ProjectChecks {
  /** As configured: `auto`, `v0` or `v1`. */
  readonly protocol: string;
  /** Null: there is no personal key. */
  readonly api: ProjectApi | null;
}

const OF_PROJECT = ["project", "old events", "persons", "group types", "group types since"];

/** Never rejects for what a peer answers, or does not. */
export async function examineDestination(options: ExamineOptions): Promise<readonly Check[]> {
  const { host, token, protocol, api } = options;
  const wrongKey = checkPersonalKey(api?.personalApiKey ?? null);
  const [probe, ofProject] = await Promise.all([
    probeCapture(options),
    api && !wrongKey ? checkProject(api, options) : OF_PROJECT.map((name) => leftOut(name, NEEDS_KEY)),
  ]);
  return [
    checkToken(token),
    checkHost(host, probe),
    checkProtocol(protocol, probe),
    checkClock(probe),
    ...(wrongKey ? [wrongKey] : []),
    ...ofProject,
  ];
}

const NEEDS_KEY = "It needs a personal API key.";
