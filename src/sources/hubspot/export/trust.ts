/**
 * Which rows of an export say what HubSpot's API says. How an export writes times, numbers, options or line ends is not
 * promised; so some rows of every kind are read from the API too. What is written otherwise is not believed.
 */

import { canonicalJson } from "../../../core/json.ts";
import type { CompanyOptions } from "../company.ts";
import { typeValue } from "../values.ts";
import type { WireProperty, WireRow } from "../wire.ts";
import type { ExportRow } from "./export-table.ts";
import { columnIn, kindOf, kindsOf, kindsOfColumn, type ValueForm } from "./value-kinds.ts";
import { createVotes } from "./votes.ts";

export interface Trust {
  /** Ids of rows that tell most when they are read from the API: none once all kinds of values are known. */
  sample(rows: readonly ExportRow[]): readonly string[];
  /** Compares rows with what the API says of the same. */
  learn(rows: readonly ExportRow[], live: ReadonlyMap<string, WireRow>): void;
  /** The values of that form are not what they seem. */
  doubt(name: string, form: ValueForm): void;
  /** As the API would give it; null: nobody knows that it would. */
  asWire(row: ExportRow): WireRow | null;
  /** Properties found not to be written as the API has them, each told once. */
  takeDoubted(): readonly string[];
}

export interface TrustOptions extends Pick<CompanyOptions, "properties" | "usesLabels"> {
  /** Rows modified before that are in the export as the API has them, ms UTC: another version of one is no accident. */
  readonly settledAt: number;
}

export const MODIFIED_COLUMN = "hs_lastmodifieddate";
export const CREATED_COLUMN = "createdate";
/** Of the address under which people find a company: no column, and in every row. */
const ADDRESS = kindOf("(address)", "plain");

const MOST_SAMPLED = 100;
const TIME: Pick<WireProperty, "type" | "fieldType" | "options"> = { type: "datetime", options: [] };

export function createTrust(options: TrustOptions): Trust {
  const { properties, settledAt } = options;
  const names = new Set([...properties.keys(), MODIFIED_COLUMN, CREATED_COLUMN]);
  const columns = [...names].map(kindsOfColumn);
  const votes = createVotes();
  const told = new Set<string>();
  /** What stands before the id in the address of a company, and after it; null: it has none. */
  let address: readonly [string, string] | null = null;

  const kindsIn = (row: ExportRow) => [...kindsOf(row, columns), ADDRESS];
  const timeIn = (cell: string | undefined) => {
    const { value } = typeValue(cell ?? "", TIME, options);
    return typeof value === "string" ? value : undefined;
  };

  function wireOf({ id, cells }: ExportRow): WireRow {
    const said = Object.entries(cells).map(([name, cell]) => [name, cell === "" ? null : cell] as const);
    const [createdAt, modifiedAt] = [timeIn(cells[CREATED_COLUMN]), timeIn(cells[MODIFIED_COLUMN])];
    return {
      id,
      properties: Object.fromEntries(said),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(modifiedAt === undefined ? {} : { updatedAt: Date.parse(modifiedAt) }),
      ...(address ? { url: address.join(id) } : {}),
    };
  }

  /** Of a property, and of what the API says of it beside its properties. */
  function isSame(name: string, wire: WireRow, live: WireRow): boolean {
    if (name === MODIFIED_COLUMN && wire.updatedAt !== live.updatedAt) return false;
    if (name === CREATED_COLUMN && wire.createdAt !== live.createdAt) return false;
    const property = properties.get(name);
    if (!property) return true;
    const [one, other] = [wire, live].map((row) => typeValue(row.properties[name] ?? null, property, options).value);
    return canonicalJson(one ?? null) === canonicalJson(other ?? null);
  }

  function compare(row: ExportRow, live: WireRow): void {
    const wire = wireOf(row);
    const isLater = live.updatedAt === undefined || live.updatedAt >= settledAt;
    if (wire.updatedAt !== live.updatedAt && isLater) return;
    for (const [place, kind] of kindsOf(row, columns).entries())
      votes.add(kind, isSame(columns[place]?.name ?? "", wire, live));
    if (!votes.isTrusted(ADDRESS)) address = addressIn(live);
    votes.add(ADDRESS, address?.join(row.id) === live.url);
  }

  return {
    sample(rows) {
      const ids: string[] = [];
      const asked = new Map<string, number>();
      for (const row of rows) {
        const open = kindsIn(row).filter((kind) => votes.isOpen(kind, asked.get(kind) ?? 0));
        if (open.length === 0 || ids.length >= MOST_SAMPLED) continue;
        ids.push(row.id);
        for (const kind of open) {
          asked.set(kind, (asked.get(kind) ?? 0) + 1);
          votes.ask(kind);
        }
      }
      return ids;
    },
    learn(rows, live) {
      for (const row of rows) {
        const found = live.get(row.id);
        if (found) compare(row, found);
      }
    },
    doubt: (name, form) => votes.doubt(kindOf(name, form)),
    asWire: (row) => (kindsIn(row).every(votes.isTrusted) ? wireOf(row) : null),
    takeDoubted() {
      const names = new Set(votes.doubted().map(columnIn));
      const fresh = [...names].filter((name) => !told.has(name));
      for (const name of fresh) told.add(name);
      return fresh;
    },
  };
}

function addressIn({ id, url }: WireRow): readonly [string, string] | null {
  const [before, after, ...more] = url?.split(id) ?? [];
  return before === undefined || after === undefined || more.length > 0 ? null : [before, after];
}
