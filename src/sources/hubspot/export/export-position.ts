/** How far an export was read: the cursor between its pages. */

import { z } from "zod";
import { positionFrom } from "../../../core/page-walk.ts";

const positionSchema = z.strictObject({
  /** Its id, and when it was asked for, ms UTC. */
  task: z.string(),
  at: z.int(),
  /** Of the file that was read; null: none yet. */
  sha256: z.string().nullable(),
  /** Rows of it done. */
  row: z.int().nonnegative(),
});
export type ExportPosition = z.infer<typeof positionSchema>;

/** Before those of HubSpot's list. */
const PREFIX = "export:";

export function isExportCursor(after: string | null): after is string {
  return after?.startsWith(PREFIX) ?? false;
}

export function formatPosition(position: ExportPosition): string {
  return PREFIX + JSON.stringify(position);
}

/** Null: there is none, or another version of prickle wrote it. */
export function parsePosition(after: string | null): ExportPosition | null {
  return isExportCursor(after) ? positionFrom(after.slice(PREFIX.length), positionSchema.nullable(), null) : null;
}
