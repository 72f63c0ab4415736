/** The mappings that ship, compiled, for tests. */

import { readFileSync } from "node:fs";
import type { JsonObject } from "../../../src/core/json.ts";
import { compileMapping, type MappingEnvironment, type MappingSource } from "../../../src/core/mapping/compile.ts";
import { NO_ENVIRONMENT } from "../../../src/core/mapping/environment.ts";
import type { Mapped, Mapping } from "../../../src/core/mapping/mapping.ts";
import type { SourceRecord } from "../../../src/core/record.ts";

const FOLDER = new URL("../../../mappings/", import.meta.url);

export function readMappingFile(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

export function shippedSource(name: string): MappingSource {
  const file = `${name}.yaml`;
  return { name, file, text: readMappingFile(file), environment: { ...NO_ENVIRONMENT, preset: shippedSource } };
}

export function shippedMapping(name: string): Mapping {
  return compileMapping(shippedSource(name));
}

export function recordOf(payload: JsonObject): SourceRecord {
  return { source: "segment", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
}

export function applyTo(mapping: Mapping, payload: JsonObject): Mapped {
  return mapping.apply(recordOf(payload));
}

/** A mapping whose only rule puts the given value into `properties.value` of an event. */
export function compileValue(value: unknown, dialect = "prickle", environment?: MappingEnvironment): Mapping {
  const rule = { name: "value", event: { name: "e", distinctId: "u", properties: { value } } };
  const text = JSON.stringify({ dialect, groupTypes: ["company"], rules: [rule] });
  return compileMapping({ name: "value", file: "value.yaml", text, ...(environment ? { environment } : {}) });
}

/** What that value gives. */
export function valueMapping(value: unknown, dialect = "prickle"): (payload: JsonObject) => unknown {
  const mapping = compileValue(value, dialect);
  return (payload) => applyTo(mapping, payload).drafts[0]?.properties.value;
}
