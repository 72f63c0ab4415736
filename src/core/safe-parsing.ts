/** Checks by zod that nothing in a file can break. */

import type * as z from "zod";

export type SafelyParsed<Output> =
  | { readonly success: true; readonly data: Output }
  | { readonly success: false; readonly data?: undefined; readonly issues: readonly z.core.$ZodIssue[] };

/** zod measures also what it found to be of the wrong kind: an object for a text, whose `length` cannot be compared, makes it throw. */
export function parseSafely<Schema extends z.ZodType>(
  schema: Schema,
  content: unknown,
): SafelyParsed<z.output<Schema>> {
  try {
    const parsed = schema.safeParse(content);
    return parsed.success ? parsed : { success: false, issues: parsed.error.issues };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `something in it is of a kind that cannot even be checked (${why})`;
    return { success: false, issues: [{ code: "custom", path: [], message, input: undefined }] };
  }
}
