/** Reads objects by id, as they are now: 100 in a request, three requests at once (facts: HubSpot, 5). */

import type { HubspotClient } from "./client.ts";
import { batchAnswer, type WireRow } from "./wire.ts";

export interface BatchReading {
  /** Only of ids asked for: for one merged away HubSpot may give the company it became. */
  readonly rows: readonly WireRow[];
  /** When the earliest of them was read, by HubSpot's clock; 0 where nothing was asked. */
  readonly at: number;
}

export type BatchRead = (ids: readonly string[], signal: AbortSignal) => Promise<BatchReading>;

export interface BatchReadOptions {
  readonly client: HubspotClient;
  readonly path: string;
  readonly names: readonly string[];
  readonly isArchived?: boolean;
}

const MOST_IDS = 100;
const AT_ONCE = 3;

export function createBatchRead({ client, path, names, isArchived = false }: BatchReadOptions): BatchRead {
  async function readOnce(ids: readonly string[], signal: AbortSignal): Promise<BatchReading> {
    const body = { inputs: ids.map((id) => ({ id })), properties: names, propertiesWithHistory: [] };
    const { value, at } = await client.post({ path: `${path}?archived=${isArchived}`, body }, batchAnswer, signal);
    const wanted = new Set(ids);
    return { rows: value.results.filter(({ id }) => wanted.has(id)), at };
  }

  return async (ids, signal) => {
    const slices = slicesOf(ids, MOST_IDS);
    const readings: BatchReading[] = [];
    for (const together of slicesOf(slices, AT_ONCE)) {
      readings.push(...(await Promise.all(together.map((slice) => readOnce(slice, signal)))));
    }
    return { rows: readings.flatMap(({ rows }) => rows), at: earliestOf(readings) };
  };
}

export function slicesOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const slices: Item[][] = [];
  for (let at = 0; at < items.length; at += size) slices.push(items.slice(at, at + size));
  return slices;
}

function earliestOf(readings: readonly BatchReading[]): number {
  return readings.length === 0 ? 0 : Math.min(...readings.map(({ at }) => at));
}
