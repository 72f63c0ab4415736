/** E-mail addresses of the people who own companies in HubSpot, by the id that companies name. */

import type { HubspotClient } from "./client.ts";
import { PATHS } from "./paths.ts";
import { ownersAnswer } from "./wire.ts";

const PAGE_OWNERS = 100;

/** Those who left the account too: companies may still name them. */
export async function readOwners(client: HubspotClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const emails = new Map<string, string>();
  for (const archived of [true, false]) {
    for (let after: string | undefined; ; ) {
      const query = new URLSearchParams({
        limit: String(PAGE_OWNERS),
        archived: String(archived),
        ...(after ? { after } : {}),
      });
      const { value } = await client.get(`${PATHS.owners}?${query}`, ownersAnswer, signal);
      for (const { id, email } of value.results) if (email) emails.set(id, email);
      after = value.paging?.next?.after;
      if (after === undefined) break;
    }
  }
  return emails;
}
