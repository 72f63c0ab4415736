/** Exports that HubSpot makes: asked for, and waited for (facts: HubSpot, 12). */

import type { Clock } from "../../../core/clock.ts";
import { PrickleError } from "../../../core/errors.ts";
import type { HubspotClient } from "../client.ts";
import { PATHS } from "../paths.ts";
import { exportDetailAnswer, exportStatusAnswer, exportTaskAnswer } from "../wire.ts";

export interface ExportTask {
  readonly id: string;
  /** When it was asked for, by HubSpot's clock, ms UTC: what its rows say was true then at the latest. */
  readonly at: number;
}

export interface FinishedExport {
  readonly kind: "finished";
  /** Where the file lies, for a while. */
  readonly url: string;
  /** Rows that HubSpot says it has; null: it does not say. */
  readonly rowCount: number | null;
  /** Rows that HubSpot could not export. */
  readonly errorCount: number;
}

/** It is forgotten, or ended without a file: only another one helps. */
export interface LostExport {
  readonly kind: "lost";
  readonly why: string;
}

interface Progress {
  readonly state: string;
  readonly url: string | null;
  readonly rowCount: number | null;
  readonly errorCount: number;
}

const FINISHED = ["COMPLETE", "DONE"];
const ENDED = ["FAILED", "CANCELED", "CANCELLED", "DELETED", "CONFLICT"];
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
const GROWTH = 1.5;
const PATIENCE_MS = 2 * 3_600_000;

/** By internal names and values, as the API has them: labels are for people, who change them. */
export async function requestExport(
  client: HubspotClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ExportTask> {
  const body = {
    exportType: "VIEW",
    exportName: "prickle companies",
    format: "CSV",
    objectType: "COMPANY",
    language: "EN",
    objectProperties: names,
    exportInternalValuesOptions: ["NAMES", "VALUES"],
    associatedObjectType: [],
    includeLabeledAssociations: false,
    includePrimaryDisplayPropertyForAssociatedObjects: false,
    overrideAssociatedObjectsPerDefinitionPerRowLimit: false,
    publicCrmSearchRequest: { filters: [], filterGroups: [], sorts: [], query: "" },
  };
  const { value, at } = await client.post({ path: `${PATHS.exports}/async`, body }, exportTaskAnswer, signal);
  return { id: value.id, at };
}

/**
 * Waits until it is made, asking less and less often.
 * @throws SOURCE_REFUSED when somebody has to approve of it first; SOURCE_UNAVAILABLE when it is not made in two hours
 */
export async function awaitExport(
  client: HubspotClient,
  task: ExportTask,
  clock: Clock,
  signal: AbortSignal,
): Promise<FinishedExport | LostExport> {
  const giveUpAt = clock.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * GROWTH)) {
    const progress = await ask(client, task, signal);
    if (!progress) return { kind: "lost", why: "HubSpot knows nothing of it any more" };
    const { state, url } = progress;
    if (ENDED.includes(state)) return { kind: "lost", why: `HubSpot ended it as ${state}` };
    if (state === "PENDING_APPROVAL") throw unapproved(task);
    if (FINISHED.includes(state)) return { kind: "finished", ...progress, url: checkedUrl(url) };
    if (clock.now() + pauseMs > giveUpAt) throw notMade(state);
    await clock.sleep(pauseMs, signal);
    signal.throwIfAborted();
  }
}

/** The status has the address of the file; only the other answer tells why an export does not get on, and its rows. */
async function ask(client: HubspotClient, { id }: ExportTask, signal: AbortSignal): Promise<Progress | null> {
  const place = encodeURIComponent(id);
  const status = await client.find(`${PATHS.exports}/async/tasks/${place}/status`, exportStatusAnswer, signal);
  if (!status) return null;
  const detail = await client.find(`${PATHS.exports}/${place}`, exportDetailAnswer, signal);
  const isFinished = FINISHED.includes(status.status);
  const why = detail?.exportState ?? status.status;
  return {
    state: isFinished || FINISHED.includes(why) ? status.status : why,
    url: isFinished ? (status.result ?? null) : null,
    rowCount: detail?.recordCount ?? null,
    errorCount: status.numErrors ?? 0,
  };
}

function checkedUrl(url: string | null): string {
  if (url !== null && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new PrickleError("SOURCE_CHANGED", "HubSpot finished an export and gave no address of its file.", {
    hint: "`fullBy: list` of the source does without exports.",
  });
}

function unapproved({ id }: ExportTask): PrickleError {
  return new PrickleError("SOURCE_REFUSED", `HubSpot's export ${id} waits for somebody to approve of it.`, {
    hint: "A super admin of the account can; then sync again. `fullBy: list` of the source does without exports.",
  });
}

function notMade(state: string): PrickleError {
  const hours = PATIENCE_MS / 3_600_000;
  return new PrickleError("SOURCE_UNAVAILABLE", `HubSpot's export is ${state} after ${hours} hours.`, {
    hint: "The next sync goes on waiting for it; `fullBy: list` of the source does without exports.",
  });
}
