/** Attio's rows in front of the fake. */

import type { RowSource } from "../../../src/core/row-source.ts";
import { type AttioOptions, createAttioRows } from "../../../src/sources/attio/rows.ts";
import { ACCESS_TOKEN, type FakeAttio, startFakeAttio } from "../../fakes/attio.ts";
import { createPassingClock, type PassingClock } from "../../fakes/clock.ts";
import { createOpenedRows } from "../opened-rows.ts";

export interface AttioRig {
  readonly fake: FakeAttio;
  readonly clock: PassingClock;
  open(options?: Partial<AttioOptions>): RowSource;
  close(): Promise<void>;
}

export async function startAttio(): Promise<AttioRig> {
  const clock = createPassingClock();
  const fake = await startFakeAttio(clock);
  const opened = createOpenedRows();
  return {
    fake,
    clock,
    open(options = {}) {
      const rows = createAttioRows({
        url: fake.url,
        accessToken: ACCESS_TOKEN,
        object: "companies",
        rowsAtOnce: 4,
        sortBy: "created_at",
        asksForVanished: true,
        clock,
        random: () => 0,
        ...options,
      });
      return opened.keep(rows);
    },
    async close() {
      await opened.close();
      await fake.close();
    },
  };
}
