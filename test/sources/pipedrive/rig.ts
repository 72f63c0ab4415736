/** Pipedrive's rows in front of the fake. */

import type { RowSource } from "../../../src/core/row-source.ts";
import { createPipedriveRows, type PipedriveOptions } from "../../../src/sources/pipedrive/rows.ts";
import { createPassingClock, type PassingClock } from "../../fakes/clock.ts";
import { API_TOKEN, type FakePipedrive, startFakePipedrive } from "../../fakes/pipedrive.ts";
import { createOpenedRows } from "../opened-rows.ts";

export interface PipedriveRig {
  readonly fake: FakePipedrive;
  readonly clock: PassingClock;
  open(options?: Partial<PipedriveOptions>): RowSource;
  close(): Promise<void>;
}

export async function startPipedrive(): Promise<PipedriveRig> {
  const clock = createPassingClock();
  const fake = await startFakePipedrive(clock);
  const opened = createOpenedRows();
  return {
    fake,
    clock,
    open(options = {}) {
      const rows = createPipedriveRows({
        url: fake.url,
        credentials: { kind: "api_token", token: API_TOKEN },
        requestsPer2Seconds: 1000,
        listsDeleted: false,
        fieldsVersion: "v2",
        rowsAtOnce: 3,
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
