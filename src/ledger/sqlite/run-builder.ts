/** Gathers the messages of a transaction by lane, as places in the bytes they lie in. */

import { messagesIn } from "../../core/parcel.ts";
import { SERVICES } from "../../core/service.ts";
import type { LoggedRun } from "./log-record.ts";
import type { Positions } from "./positions.ts";

export interface RunBuilder {
  /** Forgets what a transaction that failed left behind. */
  clear(): void;
  /** Adds the messages of a parcel's contents. */
  add(contents: Buffer): void;
  /** What was added since the last time, as runs that go on where their lanes end, and the places of their frames. */
  take(
    positions: Pick<Positions, "nextSeq" | "appended">,
    committedAt: number,
    onlyDestination?: string | null,
  ): BuiltRuns;
}

export interface BuiltRuns {
  readonly runs: readonly LoggedRun[];
  /** Pairs of where a frame begins and ends, in the order of the runs. */
  readonly ranges: readonly number[];
}

/** A claim reads whole runs: they must not grow with the group. */
const MAX_RUN_BYTES = 256 * 1024;

/** `lanes`: of each service. */
export function createRunBuilder(lanes: number): RunBuilder {
  /** Pairs as above, by lane. */
  const byLane = Array.from({ length: SERVICES.length * lanes }, (): number[] => []);
  return {
    clear() {
      for (const places of byLane) places.length = 0;
    },
    add(contents) {
      for (const { lane, frameAt, end } of messagesIn(contents, 0, contents.length)) byLane[lane]?.push(frameAt, end);
    },
    take(positions, committedAt, onlyDestination = null) {
      const runs: LoggedRun[] = [];
      const ranges: number[] = [];
      const end = (lane: number, count: number, bytes: number) => {
        const run = { lane, count, bytes, firstSeq: positions.nextSeq(lane), committedAt };
        runs.push(run);
        positions.appended({ ...run, onlyDestination });
      };
      for (const [lane, places] of byLane.entries()) {
        let count = 0;
        let bytes = 0;
        for (let index = 0; index < places.length; index += 2) {
          const [start = 0, stop = 0] = [places[index], places[index + 1]];
          if (count > 0 && bytes + stop - start > MAX_RUN_BYTES) {
            end(lane, count, bytes);
            count = 0;
            bytes = 0;
          }
          ranges.push(start, stop);
          count += 1;
          bytes += stop - start;
        }
        if (count > 0) end(lane, count, bytes);
        places.length = 0;
      }
      return { runs, ranges };
    },
  };
}
