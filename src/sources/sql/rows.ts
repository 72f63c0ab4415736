/** Rows of a query against PostgreSQL: a product's own accounts table, or a warehouse. */

import * as z from "zod";
import { PrickleError } from "../../core/errors.ts";
import { positionFrom, type Step, walkPages } from "../../core/page-walk.ts";
import type { RemovedPage, RowBeginning, RowPage, RowSource, RowWindow } from "../../core/row-source.ts";
import { createSqlClient, type SqlConnection, type Statement } from "./client.ts";
import { type ColumnTypes, checkColumns } from "./columns.ts";
import { changedIn, deletedSince, describing, live, type PlaceInTime, type Table, timing } from "./statements.ts";
import { payloadOf, timeOf } from "./values.ts";

export interface SqlOptions extends SqlConnection, Table {
  /** By how much a window begins before the one before it ended: transactions commit late. */
  readonly overlapMs: number;
}

const HOUR_MS = 3_600_000;

const byId = z.strictObject({ id: z.string().nullable() });
const inTime = z.strictObject({ place: z.strictObject({ updatedAt: z.string(), id: z.string() }).nullable() });

/** Of a page, as `page` in statements.ts selects them. */
interface Line {
  readonly id: string;
  readonly updatedAt: string | null;
  readonly deletedAt: string | null;
  readonly text: string;
  readonly readAt: number;
}

export function createSqlRows(options: SqlOptions): RowSource {
  const { updatedAtColumn, deletedColumn, overlapMs } = options;
  const client = createSqlClient(options);
  let types: ColumnTypes = new Map();

  async function begin(signal: AbortSignal, remembered: string | null): Promise<RowBeginning> {
    const { columns: own } = await client.ask(describing(options), signal);
    const twice = own.find(({ name }, index) => own.findIndex((other) => other.name === name) !== index);
    if (twice) throw repeated(twice.name);
    types = new Map(own.map(({ name, type }) => [name, type]));
    checkColumns(options, types);
    const remembers = JSON.stringify([...types].toSorted());
    const [[now] = []] = (await client.ask(timing(), signal)).rows;
    const saysOtherwise = remembered !== null && remembered !== remembers;
    const warnings = saysOtherwise ? ["The query gives other columns than before, or of other types."] : [];
    return { at: Number(now), warnings, remembers, saysOtherwise };
  }

  async function lines(statement: Statement, signal: AbortSignal): Promise<readonly Line[]> {
    const { rows } = await client.ask(statement, signal);
    return rows.map(([id, updatedAt = null, deletedAt = null, text, readAt]) => {
      return { id: id ?? "", updatedAt, deletedAt, text: text ?? "{}", readAt: Number(readAt) };
    });
  }

  /** Pages of a statement that each time says what follows a position. */
  function walk<Position extends object, Page>(
    from: Position,
    next: (position: Position) => Statement,
    read: (found: Found) => { readonly page: Page; readonly reached: Position },
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    const ask = async (position: Position): Promise<Step<Position, Page>> => {
      const found = await lines(next(position), signal);
      const last = found.at(-1);
      if (!last) return { page: null, next: null };
      const { page, reached } = read({ found, last });
      return { page, next: reached };
    };
    return walkPages(from, ask, signal);
  }

  const rowOf = ({ id, updatedAt, text }: Line) => ({
    ...{ id, updatedAt: timeOf(updatedAt), payload: payloadOf(text, types) },
  });

  function rowPage<Position>({ found, last }: Found, reached: Position) {
    const page: RowPage = { rows: found.map(rowOf), after: JSON.stringify(reached), readAt: last.readAt };
    return { page, reached };
  }

  const all = (after: string | null, signal: AbortSignal) =>
    walk(
      positionFrom(after, byId, { id: null }),
      ({ id }) => live(options, types, id),
      (found) => rowPage<z.output<typeof byId>>(found, { id: found.last.id }),
      signal,
    );

  function changedBy(timeColumn: string) {
    const table = { ...options, updatedAtColumn: timeColumn };
    return (window: RowWindow, after: string | null, signal: AbortSignal) =>
      walk(
        positionFrom(after, inTime, { place: null }),
        ({ place }) => changedIn(table, types, window, place),
        (found) => rowPage<z.output<typeof inTime>>(found, { place: placeOf(found.last) }),
        signal,
      );
  }

  const removed = (since: number | null, after: string | null, signal: AbortSignal) =>
    walk<z.output<typeof byId>, RemovedPage>(
      positionFrom(after, byId, { id: null }),
      ({ id }) => deletedSince(options, types, since, id),
      ({ found, last }) => {
        const reached = { id: last.id };
        const removals = found.map(({ id, updatedAt, deletedAt }) => {
          const at = timeOf(deletedAt) ?? timeOf(updatedAt);
          return { id, state: "archived" as const, at, into: null };
        });
        return { page: { removals, after: JSON.stringify(reached), readAt: last.readAt }, reached };
      },
      signal,
    );

  return {
    traits: { lagMs: 0, overlapMs, settledMs: HOUR_MS, fatesAtOnce: 1000 },
    begin,
    all,
    changed: updatedAtColumn === null ? null : changedBy(updatedAtColumn),
    removed: deletedColumn === null ? null : removed,
    fates: null,
    requests: client.requests,
    close: client.close,
  };
}

function placeOf({ updatedAt, id }: Line): PlaceInTime {
  return { updatedAt: updatedAt ?? "", id };
}

interface Found {
  readonly found: readonly Line[];
  readonly last: Line;
}

function repeated(name: string): PrickleError {
  return new PrickleError("SOURCE_CHANGED", `The query gives two columns named "${name}".`, {
    hint: "Give one of them another name, with AS.",
  });
}
