/** How far a backfill is: a bar in a terminal, a line every few seconds elsewhere. */

import cliProgress from "cli-progress";
import type { BackfillProgress } from "../core/operations.ts";
import { bytes, count, span } from "./show-table.ts";

export interface ProgressDisplay {
  observe(progress: BackfillProgress): void;
  /** Writes the last state and takes the bar away. */
  done(): void;
}

type ErrorStream = Pick<NodeJS.WriteStream, "isTTY" | "write">;

const LINE_EVERY_MS = 5_000;

export function createBackfillProgress(
  stream: ErrorStream & NodeJS.WritableStream,
  now: () => number,
): ProgressDisplay {
  const pace = createPace(now);
  const display = stream.isTTY ? barDisplay(stream, pace) : lineDisplay(stream, pace, now);
  let isBegin = true;
  return {
    ...display,
    observe(progress) {
      if (isBegin && progress.file.about !== USUAL)
        stream.write(`${progress.file.path} is read as ${progress.file.about}\n`);
      isBegin = false;
      display.observe(progress);
    },
  };
}

/** Nobody has to be told of that. */
const USUAL = "JSON lines: Segment calls";

/** One line: how far, how fast, how long still. */
export function progressLine(progress: BackfillProgress, { rate, leftMs }: Pace): string {
  const { phase, records, rejected, depth, file } = progress;
  const counts = `${count(records)} records, ${count(rejected)} rejected`;
  const which = file.of > 1 ? `file ${file.number} of ${file.of}, ` : "";
  if (phase === "memberships")
    return `reading who belongs to what, ${which}${share(progress)}: ${count(records)} records, ${count(rate)} a second`;
  if (phase === "delivering") return `delivering: ${count(depth)} messages left · ${counts}`;
  const left = leftMs === null ? "" : `, ${span(leftMs)} left`;
  return `reading ${which}${share(progress)}: ${counts}, ${count(rate)} a second${left} · ${count(depth)} waiting`;
}

interface Pace {
  /** Records a second since the first look. */
  readonly rate: number;
  /** Null when it cannot be told. */
  readonly leftMs: number | null;
}

type PaceOf = (progress: BackfillProgress) => Pace;

/** From the first look on, so that what an earlier run had read does not count as speed. */
function createPace(now: () => number): PaceOf {
  const startedAt = now();
  let first: BackfillProgress | null = null;
  return (progress) => {
    first ??= progress;
    const ms = Math.max(1, now() - startedAt);
    const { records, bytes: read, totalBytes } = progress;
    const perMs = (read - first.bytes) / ms;
    return {
      rate: Math.round(((records - first.records) / ms) * 1000),
      leftMs: totalBytes === null || perMs <= 0 ? null : (totalBytes - read) / perMs,
    };
  };
}

function barDisplay(stream: NodeJS.WritableStream, paceOf: PaceOf): ProgressDisplay {
  const bar = new cliProgress.SingleBar({
    stream,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    fps: 8,
    format: (options, params, { line = "" }: { line?: string }) =>
      `${cliProgress.Format.BarFormat(params.progress, options)} ${line}`,
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
  let started = false;
  return {
    observe(progress) {
      if (!started) bar.start(PARTS, 0, { line: "" });
      started = true;
      bar.update(progress.phase === "delivering" ? PARTS : partsOf(progress), {
        line: progressLine(progress, paceOf(progress)),
      });
    },
    done: () => bar.stop(),
  };
}

function lineDisplay(stream: ErrorStream, paceOf: PaceOf, now: () => number): ProgressDisplay {
  let writtenAt = now();
  let last: string | null = null;
  return {
    observe(progress) {
      last = progressLine(progress, paceOf(progress));
      if (now() - writtenAt < LINE_EVERY_MS) return;
      writtenAt = now();
      stream.write(`${last}\n`);
      last = null;
    },
    done() {
      if (last !== null) stream.write(`${last}\n`);
      last = null;
    },
  };
}

const PARTS = 1000;

function partsOf({ bytes: read, totalBytes }: BackfillProgress): number {
  return totalBytes === null || totalBytes === 0 ? 0 : Math.min(PARTS, Math.floor((read / totalBytes) * PARTS));
}

function share(progress: BackfillProgress): string {
  return progress.totalBytes === null ? bytes(progress.bytes) : `${Math.floor(partsOf(progress) / 10)} %`;
}
