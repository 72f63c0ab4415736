/** Search of a fake HubSpot, with what makes it hard: lag, a cap, rows outside of the window, an order of its own (facts: HubSpot, 4). */

import { type Answer, type Asked, invalid, ok, unknownIn } from "./answer.ts";
import { objectOf } from "./objects.ts";
import type { HubspotStore, Indexed } from "./store.ts";

export interface SearchSettings {
  /** What happened later is not found yet. */
  indexLagMs: number;
  idOrder: "numeric" | "lexicographic";
  /** Above so many rows they come in the order of their times. */
  unorderedAbove: number;
  /** Rows that lie this far outside of the window come along. */
  slackMs: number;
}

const MOST_ROWS = 200;
const MOST_FOUND = 10_000;
const MOST_FILTERS = 3;

type Test = (row: Indexed) => boolean;

export function searchCompanies(asked: Asked, store: HubspotStore, settings: SearchSettings, now: number): Answer {
  const wrong = unknownIn(asked, [], ["filterGroups", "sorts", "properties", "limit", "after"]);
  if (wrong) return wrong;
  const { filterGroups, properties, limit = 10, after = "0" } = asked.body;
  if (typeof after !== "string") return invalid("after must be text");
  if (!(Number(limit) >= 1 && Number(limit) <= MOST_ROWS)) return invalid("limit must be at most 200");
  const offset = Number(after);
  if (offset + Number(limit) > MOST_FOUND) return invalid("paging beyond 10,000 results is not supported");
  const tests = testsIn(filterGroups, settings, store);
  if (!Array.isArray(tests)) return "status" in tests ? tests : { status: 500, body: "<html>" };
  const found = [...store.indexed(now - settings.indexLagMs)].filter((row) => tests.every((test) => test(row)));
  const sorted = found.sort(found.length > settings.unorderedAbove ? byTime : orderOf(settings));
  const page = sorted.slice(offset, offset + Number(limit));
  const names = Array.isArray(properties) ? [...properties.map(String), "hs_lastmodifieddate"] : [];
  const results = page.flatMap((row) => {
    const company = store.get(row.id);
    return company ? [objectOf({ ...company, updatedAt: row.updatedAt }, names, store)] : [];
  });
  const end = offset + page.length;
  return ok({
    total: found.length,
    results,
    ...(end < found.length ? { paging: { next: { after: String(end) } } } : {}),
  });
}

function testsIn(groups: unknown, settings: SearchSettings, store: HubspotStore): readonly Test[] | Answer {
  const [group, ...others] = Array.isArray(groups) ? groups : [];
  const filters: unknown = group?.filters;
  if (!Array.isArray(filters) || others.length > 0) return invalid("one filter group is expected");
  if (filters.length > MOST_FILTERS) return invalid("too many filters");
  const tests = filters.map((filter) => testOf(filter, settings, store));
  const wrong = tests.find((test) => typeof test !== "function");
  return wrong ? (wrong as Answer) : (tests as Test[]); // Seen just now.
}

function testOf(filter: Record<string, string>, settings: SearchSettings, store: HubspotStore): Test | Answer {
  const { propertyName = "", operator, value } = filter;
  const { slackMs } = settings;
  const isBefore = orderOf(settings);
  switch (`${propertyName} ${operator}`) {
    case "hs_lastmodifieddate GTE":
      if (Number(value) < 1000) return { status: 500, body: { status: "error", message: "internal error" } };
      return ({ updatedAt }) => updatedAt >= Number(value) - slackMs;
    case "hs_lastmodifieddate LTE":
      return ({ updatedAt }) => updatedAt <= Number(value) + slackMs;
    case "hs_object_id GT":
      return ({ id }) => isBefore({ id: String(value) }, { id }) < 0;
    case "hs_merged_object_ids HAS_PROPERTY":
      return ({ merged }) => merged !== null && merged !== "";
    default:
      if (operator === "HAS_PROPERTY") return ({ id }) => Boolean(store.get(id)?.properties[propertyName]);
      return invalid(`no filter ${propertyName} ${operator}`);
  }
}

type Identified = Pick<Indexed, "id">;

function orderOf({ idOrder }: SearchSettings): (one: Identified, other: Identified) => number {
  if (idOrder === "numeric") return (one, other) => Number(one.id) - Number(other.id);
  return (one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}

function byTime(one: Indexed, other: Indexed): number {
  return one.updatedAt - other.updatedAt || Number(other.id) - Number(one.id);
}
