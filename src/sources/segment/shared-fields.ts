/** `context` and `integrations` of a batch, which count for each of its calls. */

import { PrickleError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { MAX_NESTING, weigh } from "./nesting.ts";

export interface SharedFields {
  readonly context: JsonObject | null;
  readonly integrations: JsonObject | null;
}

/** Copies of them in all calls of a batch together: keeps a small request from becoming a huge one. */
const MAX_COPIED_BYTES = 8 * 1024 * 1024;

/** Null when the batch has none. @throws INPUT_INVALID, INPUT_TOO_LARGE */
export function readShared({ context, integrations }: JsonObject, calls: number): SharedFields | null {
  const shared = { context: filled("context", context), integrations: filled("integrations", integrations) };
  if (!shared.context && !shared.integrations) return null;
  const bytes = Buffer.byteLength(JSON.stringify(shared)) * calls;
  if (bytes <= MAX_COPIED_BYTES) return shared;
  throw new PrickleError(
    "INPUT_TOO_LARGE",
    `context, integrations: copied into ${calls} calls they have ${bytes} bytes; ${MAX_COPIED_BYTES} are allowed.`,
    { hint: "Send smaller batches, or put into each call what it needs." },
  );
}

/** What the call has itself wins, key by key. */
export function mergeShared(call: JsonObject, { context, integrations }: SharedFields): void {
  if (context) call.context = merge(context, call.context);
  if (integrations) call.integrations = merge(integrations, call.integrations);
}

/** Spread defines keys and never assigns them, so a key "__proto__" stays a key. */
function merge(shared: JsonObject, own: JsonValue | undefined): JsonObject {
  return isJsonObject(own) ? { ...shared, ...own } : shared;
}

/** Null when it is missing, empty or no object. */
function filled(field: string, value: JsonValue | undefined): JsonObject | null {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return null;
  if (weigh(value) !== Number.POSITIVE_INFINITY) return value;
  throw new PrickleError("INPUT_INVALID", `${field}: nests deeper than the ${MAX_NESTING} levels allowed.`);
}
