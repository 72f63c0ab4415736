/**
 * Which rows of an export say what HubSpot's API says. How an export writes times, numbers, options or line ends is not
 * promised; so some rows of every kind are read from the API too. What is written otherwise is not believed.
 */

import { canonicalJson, type JsonValue } from "../../../core/json.ts";
import type { CompanyOptions } from "../company.ts";
import { typeValue } from "../values.ts";
import type { WireProperty, WireRow } from "../wire.ts";
import type { ExportRow } from "./export-table.ts";

export interface Trust {
  /** Ids of rows that tell most when they are read from the API: none once all kinds of values are known. */
  sample(rows: readonly ExportRow[]): readonly string[];
  /** Compares rows with what the API says of the same. */
  learn(rows: readonly ExportRow[], live: ReadonlyMap<string, WireRow>): void;
  /** The values of these kinds are not what they seem. */
  doubt(name: string, kind: ValueKind): void;
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
/** Of the address under which people find a company: no column. */
const URL_NAME = "(address)";

export type ValueKind = "empty" | "plain" | "long" | "lines" | "sign";

const VOTES = 5;
const MOST_TRIES = 20;
const MOST_SAMPLED = 100;
const LONG = 1000;
/** What spreadsheets would take for a formula: exports may guard against it. */
const FORMULA = /^[\s'"]*[=+\-@]/;
const TIME: Pick<WireProperty, "type" | "fieldType" | "options"> = { type: "datetime", options: [] };

interface Votes {
  same: number;
  other: number;
  tries: number;
}

export function createTrust(options: TrustOptions): Trust {
  const { properties, settledAt } = options;
  const votes = new Map<string, Votes>();
  const told = new Set<string>();
  /** Where the id stands in the address of a company; null: it has none. */
  let address: readonly [string, string] | null = null;

  const typed = (name: string, text: string | null): JsonValue => {
    const property = properties.get(name);
    return typeValue(text, property ?? TIME, options).value;
  };
  const votesOf = (key: string): Votes => {
    const found = votes.get(key) ?? { same: 0, other: 0, tries: 0 };
    votes.set(key, found);
    return found;
  };
  const keysOf = ({ cells }: ExportRow) => [
    ...new Set([...properties.keys(), MODIFIED_COLUMN, CREATED_COLUMN])
      .values()
      .map((name) => keyOf(name, kindOf(cells[name] ?? ""))),
    keyOf(URL_NAME, "plain"),
  ];
  const vote = (key: string, isSame: boolean) => {
    votesOf(key)[isSame ? "same" : "other"] += 1;
  };
  const isTrusted = (key: string) => {
    const { same, other } = votesOf(key);
    return same > other;
  };

  function wireOf({ id, cells }: ExportRow): WireRow {
    const said = Object.entries(cells).map(([name, cell]) => [name, cell === "" ? null : cell] as const);
    const [createdAt, modifiedAt] = [CREATED_COLUMN, MODIFIED_COLUMN].map(
      (name) => typeValue(cells[name] ?? "", TIME, options).value,
    );
    return {
      id,
      properties: Object.fromEntries(said),
      ...(typeof createdAt === "string" ? { createdAt } : {}),
      ...(typeof modifiedAt === "string" ? { updatedAt: Date.parse(modifiedAt) } : {}),
      ...(address ? { url: address.join(id) } : {}),
    };
  }

  function compare(row: ExportRow, live: WireRow): void {
    const wire = wireOf(row);
    const isSameVersion = wire.updatedAt === live.updatedAt;
    if (!isSameVersion && (live.updatedAt === undefined || live.updatedAt >= settledAt)) return;
    const same = (name: string) =>
      canonicalJson(typed(name, wire.properties[name] ?? null)) ===
      canonicalJson(typed(name, live.properties[name] ?? null));
    for (const name of properties.keys()) {
      if (name !== MODIFIED_COLUMN && name !== CREATED_COLUMN) vote(keyIn(row, name), same(name));
    }
    vote(keyIn(row, MODIFIED_COLUMN), isSameVersion && (!properties.has(MODIFIED_COLUMN) || same(MODIFIED_COLUMN)));
    vote(
      keyIn(row, CREATED_COLUMN),
      wire.createdAt === live.createdAt && (!properties.has(CREATED_COLUMN) || same(CREATED_COLUMN)),
    );
    if (votesOf(keyOf(URL_NAME, "plain")).same === 0) address = addressIn(live);
    vote(keyOf(URL_NAME, "plain"), (address ? address.join(row.id) : undefined) === live.url);
  }

  return {
    sample(rows) {
      const ids: string[] = [];
      const asked = new Map<string, number>();
      for (const row of rows) {
        const open = keysOf(row).filter((key) => {
          const { same, other, tries } = votesOf(key);
          return same + other + (asked.get(key) ?? 0) < VOTES && tries < MOST_TRIES;
        });
        if (open.length === 0 || ids.length >= MOST_SAMPLED) continue;
        ids.push(row.id);
        for (const key of open) {
          asked.set(key, (asked.get(key) ?? 0) + 1);
          votesOf(key).tries += 1;
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
    doubt(name, kind) {
      votesOf(keyOf(name, kind)).other = Number.POSITIVE_INFINITY;
    },
    asWire: (row) => (keysOf(row).every(isTrusted) ? wireOf(row) : null),
    takeDoubted() {
      const doubted = [...votes]
        .filter(([, { same, other }]) => other > 0 && other >= same)
        .map(([key]) => nameIn(key));
      const fresh = [...new Set(doubted)].filter((name) => !told.has(name));
      for (const name of fresh) told.add(name);
      return fresh;
    },
  };
}

function keyOf(name: string, kind: ValueKind): string {
  return `${kind} ${name}`;
}

function keyIn({ cells }: ExportRow, name: string): string {
  return keyOf(name, kindOf(cells[name] ?? ""));
}

function nameIn(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}

function kindOf(text: string): ValueKind {
  if (text === "") return "empty";
  if (text.length > LONG) return "long";
  if (/[\r\n]/.test(text)) return "lines";
  return FORMULA.test(text) ? "sign" : "plain";
}

function addressIn({ id, url }: WireRow): readonly [string, string] | null {
  const [before, after, ...more] = url?.split(id) ?? [];
  return before === undefined || after === undefined || more.length > 0 ? null : [before, after];
}
