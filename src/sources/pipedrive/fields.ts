/** All fields of organizations: pages of v2 follow a cursor, those of v1 a number. */

import { answeredAt, readAnswer } from "../../platform/api-answer.ts";
import { PEER, type PipedriveClient, type PipedriveConnection } from "./client.ts";
import { fieldsShape, type OrganizationField } from "./shapes.ts";

const ROWS_AT_ONCE = "500";
/** Of fields: more is an answer that leads in a circle. */
const MOST_PAGES = 100;

export async function readFields(
  client: PipedriveClient,
  { clock, fieldsVersion }: Pick<PipedriveConnection, "clock"> & { readonly fieldsVersion: "v1" | "v2" },
  signal: AbortSignal,
): Promise<{ readonly fields: readonly OrganizationField[]; readonly readAt: number }> {
  const path = `/api/${fieldsVersion}/organizationFields`;
  const fields: OrganizationField[] = [];
  let readAt = clock.now();
  let next: Readonly<Record<string, string>> | null = {};
  for (let pages = 0; next && pages < MOST_PAGES; pages++) {
    const answer = await client.get(path, { limit: ROWS_AT_ONCE, ...next }, signal);
    const { data, additional_data } = readAnswer(answer, fieldsShape, `${PEER}, GET ${path}`);
    fields.push(...(data ?? []));
    readAt = answeredAt(answer, clock);
    next = nextOf(additional_data);
  }
  return { fields, readAt };
}

function nextOf(more: ReturnType<typeof fieldsShape.parse>["additional_data"]) {
  if (more?.next_cursor) return { cursor: more.next_cursor };
  const { more_items_in_collection: isMore, next_start: start } = more?.pagination ?? {};
  return isMore && typeof start === "number" ? { start: String(start) } : null;
}
