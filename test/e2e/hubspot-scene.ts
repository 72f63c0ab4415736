/** A HubSpot with companies, a PostHog, and prickle between them as a process: what tests of kill -9 begin with. */

import { type FakeHubspot, startFakeHubspot } from "../fakes/hubspot/server.ts";
import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { addCompany } from "../sources/hubspot/companies.ts";
import { defineProperties } from "../sources/hubspot/rig.ts";
import { createWorkplace, type Workplace } from "./prickle-process.ts";

export const HOUR_MS = 3_600_000;

export interface HubspotScene {
  readonly hubspot: FakeHubspot;
  readonly posthog: FakePosthog;
  readonly workplace: Workplace;
  /** What PostHog shows of each group, by key. */
  groups(): ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

export interface HubspotSceneOptions {
  readonly companies: number;
  readonly nameOf: (place: number) => string;
  /** Of the source, beside its key and host. */
  readonly source?: object;
}

/** HubSpot's clock is days behind, and is moved on between runs: nobody has to wait until a search finds what changed. */
export async function openHubspotScene({ companies, nameOf, source = {} }: HubspotSceneOptions): Promise<HubspotScene> {
  const posthog = await startFakePosthog();
  const hubspot = await startFakeHubspot({ now: Date.now });
  Object.assign(hubspot.settings, { skewMs: -72 * HOUR_MS, perTenSeconds: 1_000_000, daily: 100_000_000 });
  defineProperties(hubspot);
  for (let place = 0; place < companies; place++) addCompany(hubspot.store, { name: nameOf(place), seats: `${place}` });
  const unlimited = { messagesPerSecond: null, messagesPerDistinctIdPerSecond: null, claimGroupTypes: false };
  const crm = { type: "hubspot", apiHost: hubspot.url, properties: ["seats"], ...source };
  const workplace = await createWorkplace(
    {
      server: { port: 0 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
      sources: { hubspot: { ...crm, accessToken: "${KEY}" } },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
      destinations: { posthog: { type: "posthog", host: posthog.url, token: "${TOKEN}", ...unlimited } },
    },
    { env: { TOKEN: "phc_test", KEY: "pat-eu1-key" } },
  );
  return {
    hubspot,
    posthog,
    workplace,
    groups: () => new Map([...posthog.groups].map(([name, said]) => [name.split("\0")[1] ?? "", Object(said)])),
    async close() {
      await workplace.remove();
      await posthog.close();
      await hubspot[Symbol.asyncDispose]();
    },
  };
}
