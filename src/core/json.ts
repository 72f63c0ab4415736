/** The shapes JSON.parse can give. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON text, the keys of objects in order. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

/** Where JSON.parse gave up, from what it threw: its own message would repeat what it read. */
export function jsonErrorPlace(thrown: unknown): string {
  const position = /position (\d+)/.exec(thrown instanceof Error ? thrown.message : "");
  return position ? `unreadable at character ${Number(position[1]) + 1}` : "it ends too early or begins with no JSON";
}
