/** A company as HubSpot gives it, as the row that a mapping reads. */

import type { JsonObject } from "../../core/json.ts";
import type { Row } from "../../core/row-source.ts";
import type { RefusedValues } from "./refused-values.ts";
import { listIn, typeValue, type ValueOptions } from "./values.ts";
import type { WireProperty, WireRow } from "./wire.ts";

/** Lists the companies that were merged into one. */
export const MERGED_IDS = "hs_merged_object_ids";
const OWNER = "hubspot_owner_id";

export interface CompanyOptions extends ValueOptions {
  readonly properties: ReadonlyMap<string, WireProperty>;
  /** Whose e-mail address, by id. */
  readonly owners: ReadonlyMap<string, string>;
  readonly refused: RefusedValues;
}

/** The time of modification is not among what it says: it moves with properties that nobody reads. */
export function readCompany({ id, properties, createdAt, updatedAt, url }: WireRow, options: CompanyOptions): Row {
  const owner = options.owners.get(properties[OWNER] ?? "");
  const payload: JsonObject = {
    id,
    properties: typeProperties(properties, url ?? id, options),
    mergedIds: mergedIdsOf(id, properties),
    archived: false,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(url === undefined ? {} : { url }),
    ...(owner === undefined ? {} : { ownerEmail: owner }),
  };
  return { id, updatedAt: updatedAt ?? null, payload };
}

export function mergedIdsOf(id: string, properties: WireRow["properties"]): string[] {
  return listIn(properties[MERGED_IDS] ?? "").filter((merged) => merged !== id);
}

/** HubSpot sends some that nobody asked for; those would come and go with the way they were read. */
function typeProperties(raw: WireRow["properties"], place: string, options: CompanyOptions): JsonObject {
  const typed: JsonObject = {};
  for (const [name, property] of options.properties) {
    const text = raw[name] ?? null;
    const { value, isRefused } = typeValue(text, property, options);
    typed[name] = value;
    if (isRefused && text !== null) options.refused.add({ property, text, place });
  }
  return typed;
}
