/** Brings an export onto the disk, and looks it through before anything of it is told. */

import type { Clock } from "../../../core/clock.ts";
import { PrickleError } from "../../../core/errors.ts";
import type { HubspotClient } from "../client.ts";
import type { ExportFolder } from "./export-folder.ts";
import type { ExportPosition } from "./export-position.ts";
import type { ReadExportOptions } from "./read-export.ts";
import { type Survey, surveyExport } from "./survey.ts";
import { awaitExport, type FinishedExport, type LostExport } from "./task.ts";

export interface ExportFetching {
  readonly client: HubspotClient;
  readonly clock: Clock;
  readonly folder: ExportFolder;
}

/** An export on the disk. */
export interface ReadyExport {
  readonly path: string;
  readonly position: ExportPosition & { readonly sha256: string };
  readonly survey: Survey;
  readonly warnings: readonly string[];
}

/**
 * Waits for it, unless its file is there from before a stop. Another file than the one of `position` is read from its begin.
 * Whatever is wrong with the file is a reason to ask for another export.
 */
export async function fetchExport(
  options: ExportFetching,
  file: ReadExportOptions,
  position: ExportPosition,
  signal: AbortSignal,
): Promise<ReadyExport | LostExport> {
  const path = await options.folder.pathFor(position.task);
  const kept = position.sha256 === null ? null : await options.folder.sha256(path);
  if (kept !== null && kept === position.sha256) {
    // It was looked through before anything of it was told.
    return { path, position: { ...position, sha256: kept }, survey: await surveyExport(path, file), warnings: [] };
  }
  const fetched = await download(options, position, path, signal);
  if ("why" in fetched) return fetched;
  const { finished, sha256 } = fetched;
  const survey = await surveyExport(path, file).catch(damaged);
  if ("why" in survey) return survey;
  const { rowCount, brokenCount, firstBroken } = survey;
  if (finished.rowCount !== null && rowCount < finished.rowCount) {
    const broken = firstBroken === null ? "" : `; ${brokenCount} rows are broken, the first: ${firstBroken}`;
    return { kind: "lost", why: `it has ${rowCount} of the ${finished.rowCount} rows that HubSpot counted${broken}` };
  }
  const row = sha256 === position.sha256 ? position.row : 0;
  return { path, position: { ...position, sha256, row }, survey, warnings: warningsOf(finished, survey) };
}

interface Fetched {
  readonly finished: FinishedExport;
  readonly sha256: string;
}

/** Addresses live for a while only: one that is refused is asked for once more. */
async function download(
  { client, clock }: ExportFetching,
  { task, at }: ExportPosition,
  path: string,
  signal: AbortSignal,
): Promise<Fetched | LostExport> {
  for (let isAgain = false; ; isAgain = true) {
    const finished = await awaitExport(client, { id: task, at }, clock, signal);
    if (finished.kind === "lost") return finished;
    const downloaded = await client.download({ url: finished.url, path }, signal);
    if (downloaded.kind === "file") return { finished, sha256: downloaded.sha256 };
    if (isAgain) return { kind: "lost", why: `its file was refused with status ${downloaded.status}` };
  }
}

function warningsOf({ rowCount, errorCount }: FinishedExport, { brokenCount, firstBroken }: Survey): readonly string[] {
  return [
    ...(rowCount === null
      ? ["HubSpot does not say how many companies its export has: whether all are in it is not known."]
      : []),
    ...(errorCount > 0
      ? [`HubSpot's export has ${errorCount} errors: what it left out is asked for where it was known before.`]
      : []),
    ...(firstBroken === null ? [] : [`HubSpot's export has ${brokenCount} rows that cannot be read: ${firstBroken}.`]),
  ];
}

/** A file that cannot be unpacked. */
function damaged(thrown: unknown): LostExport {
  if (thrown instanceof PrickleError && thrown.code === "INPUT_INVALID") return { kind: "lost", why: thrown.message };
  throw thrown;
}
