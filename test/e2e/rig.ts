/** A workplace that feeds the embedded engine and a fake PostHog. */

import { type FakePosthog, startFakePosthog } from "../fakes/posthog.ts";
import { createWorkplace, type Workplace, type WorkplaceOptions } from "./prickle-process.ts";

export const WRITE_KEY = "wk_test";

export interface Rig {
  readonly posthog: FakePosthog;
  readonly workplace: Workplace;
  remove(): Promise<void>;
}

export interface RigConfig {
  /** Default: any that is free. */
  readonly port?: number;
  readonly ledger?: object;
  /** Of the destination `posthog`. */
  readonly posthog?: object;
}

export async function createRig(config: RigConfig = {}, options: WorkplaceOptions = {}): Promise<Rig> {
  const posthog = await startFakePosthog();
  // What arrives is counted here: nothing but what calls become.
  const settings = {
    messagesPerSecond: null,
    messagesPerDistinctIdPerSecond: null,
    historical: { messagesPerSecond: null },
    claimGroupTypes: false,
    ...config.posthog,
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form of a secret in prickle.yaml
  const peer = { type: "posthog", host: posthog.url, token: "${TOKEN}", ...settings };
  const workplace = await createWorkplace(
    {
      server: { port: config.port ?? 0 },
      sources: { segment: { type: "segment", writeKeys: [WRITE_KEY] } },
      destinations: { engine: { type: "engine" }, posthog: peer },
      ledger: config.ledger ?? {},
    },
    { env: { TOKEN: "phc_test" }, ...options },
  );
  return {
    posthog,
    workplace,
    async remove() {
      await workplace.remove();
      await posthog.close();
    },
  };
}
