/** What a page says: records and rejections, whatever its layout, but for records nobody asked for. */

import type { Rejection, SourceRecord } from "../../core/record.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import type { ReadPage } from "./file-source.ts";
import { type ReadLineOptions, visitLines } from "./read-page.ts";
import { type Table, visitRows } from "./read-rows.ts";

export interface ReadPageOptions extends ReadLineOptions {
  /** Null, the default: lines of JSON. */
  readonly table?: Table | null;
  readonly window?: TimeWindow;
}

/** Of when records happened, ms UTC. `from` is inclusive, `to` exclusive; null: no bound. */
export interface TimeWindow {
  readonly from: number | null;
  readonly to: number | null;
}

type Visit = (outcome: SourceRecord | Rejection, line: number) => void;

/** Hands over what each line or row says, one at a time; gives how many records lie outside the window. */
export function visitPage(page: RawPage, options: ReadPageOptions, visit: Visit): number {
  let skipped = 0;
  const { from, to } = options.window ?? EVER;
  const visitWithin: Visit = (outcome, line) => {
    const isOutside =
      "occurredAt" in outcome && (outcome.occurredAt < (from ?? -Infinity) || outcome.occurredAt >= (to ?? Infinity));
    if (isOutside) skipped += 1;
    else visit(outcome, line);
  };
  const visitAll = from === null && to === null ? visit : visitWithin;
  if (options.table) visitRows(page, { ...options, ...options.table }, visitAll);
  else visitLines(page, options, visitAll);
  return skipped;
}

/** Reads a page on this thread. */
export function createPageReader(options: ReadPageOptions): ReadPage {
  return async (page) => {
    const records: SourceRecord[] = [];
    const rejections: Rejection[] = [];
    const skipped = visitPage(page, options, (outcome) => {
      if ("reason" in outcome) rejections.push(outcome);
      else records.push(outcome);
    });
    return { content: { records, rejections }, skipped, memory: page.bytes.buffer };
  };
}

const EVER: TimeWindow = { from: null, to: null };
