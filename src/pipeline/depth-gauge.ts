/** The outbox's depth as of the last look, one look at a time: pages must not wait for it. */

import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../core/ledger.ts";

const LOOK_EVERY_MS = 200;

export function createDepthGauge(ledger: Pick<Ledger, "status">, clock: Clock): { lately(): number } {
  let depth = 0;
  let nextLookAt = 0;
  const look = async () => {
    depth = await ledger.status().then(
      (status) => status.depth,
      () => depth,
    );
  };
  return {
    lately() {
      if (clock.now() >= nextLookAt) {
        nextLookAt = clock.now() + LOOK_EVERY_MS;
        void look();
      }
      return depth;
    },
  };
}
