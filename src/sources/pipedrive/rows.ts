/** Organizations of Pipedrive, by version 2 of its API. */

import * as z from "zod";
import { canonicalJson, type JsonObject } from "../../core/json.ts";
import { positionFrom, type Step, walkPages } from "../../core/page-walk.ts";
import type { RemovedPage, Row, RowBeginning, RowPage, RowSource, RowWindow } from "../../core/row-source.ts";
import { answeredAt, readAnswer } from "../../platform/api-answer.ts";
import { createPipedriveClient, PEER, type PipedriveConnection } from "./client.ts";
import { readFields } from "./fields.ts";
import { type Labels, labelled, labelsOf } from "./labels.ts";
import { type Organization, organizationsShape } from "./shapes.ts";

export interface PipedriveOptions extends PipedriveConnection {
  /** Deleted organizations are listed, marked `is_deleted`: not promised by Pipedrive. */
  readonly listsDeleted: boolean;
  readonly fieldsVersion: "v1" | "v2";
  /** At most 500. */
  readonly rowsAtOnce: number;
}

const PATH = "/api/v2/organizations";
const MINUTE_MS = 60_000;
const TRAITS = { lagMs: MINUTE_MS, overlapMs: 10 * MINUTE_MS, settledMs: 60 * MINUTE_MS, fatesAtOnce: 100 };

const positionShape = z.strictObject({ cursor: z.string().nullable() });
type Position = z.output<typeof positionShape>;

interface Listed {
  readonly organizations: readonly Organization[];
  readonly after: string;
  readonly readAt: number;
}

/** A merged or deleted organization is not listed any more, which is all that is known of it: it is gone. */
export function createPipedriveRows(options: PipedriveOptions): RowSource {
  const { listsDeleted, rowsAtOnce, clock } = options;
  const client = createPipedriveClient(options);
  let labels: Labels = labelsOf([]);

  async function begin(signal: AbortSignal, remembered: string | null): Promise<RowBeginning> {
    const { fields, readAt } = await readFields(client, options, signal);
    labels = labelsOf(fields);
    const remembers = canonicalJson(fields.map(({ code, name, options: all }) => [code, name, all]));
    const saysOtherwise = remembered !== null && remembered !== remembers;
    return { at: readAt, warnings: labels.warnings, remembers, saysOtherwise };
  }

  /** A stored cursor that is refused stands for the beginning: what is read again says nothing new. */
  async function list(
    filter: Readonly<Record<string, string>>,
    { cursor }: Position,
    isResumed: boolean,
    signal: AbortSignal,
  ): Promise<Step<Position, Listed>> {
    const query = { limit: String(rowsAtOnce), ...filter, ...(cursor === null ? {} : { cursor }) };
    const answer = await (isResumed ? client.tryGet : client.get)(PATH, query, signal);
    if (answer.status === 400) return { page: null, next: { cursor: null } };
    const { data, additional_data } = readAnswer(answer, organizationsShape, `${PEER}, GET ${PATH}`);
    const next = additional_data?.next_cursor ?? null;
    const reached: Position = { cursor: next ?? cursor };
    const page = { organizations: data ?? [], after: JSON.stringify(reached), readAt: answeredAt(answer, clock) };
    return { page, next: next === null ? null : { cursor: next } };
  }

  function pages(filter: Readonly<Record<string, string>>, after: string | null, signal: AbortSignal) {
    const from = positionFrom(after, positionShape, { cursor: null });
    const isStored = (position: Position) => position.cursor !== null && position.cursor === from.cursor;
    return walkPages<Position, Listed>(from, (one) => list(filter, one, isStored(one), signal), signal);
  }

  async function* rowPages(
    filter: Readonly<Record<string, string>>,
    after: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<RowPage> {
    for await (const { organizations, ...page } of pages(filter, after, signal)) {
      const live = organizations.filter(({ is_deleted }) => is_deleted !== true);
      yield { ...page, rows: live.map((one) => rowOf(one, labels)) };
    }
  }

  async function* removed(
    since: number | null,
    after: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<RemovedPage> {
    const filter = since === null ? {} : { updated_since: time(since) };
    for await (const { organizations, ...page } of pages({ ...filter, ...IN_TIME }, after, signal)) {
      const removals = organizations.flatMap(({ id, is_deleted, update_time }) =>
        is_deleted ? [{ id: String(id), state: "archived" as const, at: timeOf(update_time), into: null }] : [],
      );
      yield { ...page, removals };
    }
  }

  return {
    traits: TRAITS,
    begin,
    all: (after, signal) => rowPages({}, after, signal),
    changed: (window, after, signal) => rowPages({ ...within(window), ...IN_TIME }, after, signal),
    removed: listsDeleted ? removed : null,
    fates: null,
    requests: client.requests,
    close: client.close,
  };
}

const IN_TIME = { sort_by: "update_time", sort_direction: "asc" };

/** `updated_until` is exclusive, and times are of whole seconds. */
function within({ from, to }: RowWindow): Readonly<Record<string, string>> {
  return {
    updated_since: time(Math.floor(from / 1000) * 1000),
    updated_until: time(Math.floor(to / 1000) * 1000 + 1000),
  };
}

function rowOf({ id, update_time, is_deleted: _, custom_fields, ...organization }: Organization, labels: Labels): Row {
  const custom = custom_fields ?? {};
  // It comes from JSON.
  const payload = { ...organization, id, custom_fields: custom, custom: labelled(custom, labels) } as JsonObject;
  return { id: String(id), updatedAt: timeOf(update_time), payload };
}

function timeOf(text: string | null | undefined): number | null {
  return typeof text === "string" ? Date.parse(text) : null;
}

/** RFC 3339 without fractions. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
