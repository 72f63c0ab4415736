/** The mappings that ship, compiled, for tests. */

import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../src/core/json.ts";
import { compileMapping } from "../../../src/core/mapping/compile.ts";
import type { Mapped, Mapping } from "../../../src/core/mapping/mapping.ts";

const FOLDER = new URL("../../../mappings/", import.meta.url);

export function readMappingFile(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

export function shippedMapping(name: string): Mapping {
  const file = `${name}.yaml`;
  return compileMapping({ name, file, text: readMappingFile(file) });
}

export function applyTo(mapping: Mapping, payload: JsonObject): Mapped {
  return mapping.apply({ source: "segment", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload });
}

/** A mapping whose only rule puts the given value into `properties.value` of an event. */
export function valueMapping(value: unknown, dialect = "prickle"): (payload: JsonObject) => unknown {
  const rule = { name: "value", event: { name: "e", distinctId: "u", properties: { value } } };
  const mapping = compileMapping({
    name: "value",
    file: "value.yaml",
    text: JSON.stringify({ dialect, groupTypes: ["company"], rules: [rule] }),
  });
  return (payload) => applyTo(mapping, payload).drafts[0]?.properties.value;
}
