/** Ports: sources, where records come from. A push source is called by HTTP requests; a pull source is asked. */

import type { RememberedGroup } from "./group-memory.ts";
import type { Parcel } from "./parcel.ts";
import type { MendCounts, Rejection, SourceRecord } from "./record.ts";
import type { KnownRow } from "./rows.ts";
import type { RunReport } from "./runs.ts";

/** What one request or one page brought. */
export interface Intake {
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly Rejection[];
  /** What is known of rows from now on: for sources that hold rows. */
  readonly rows?: readonly KnownRow[];
}

/** What one request or one page brought, mapped: ready to be committed. */
export interface Prepared {
  /** Records in all, those refused included. */
  readonly received: number;
  readonly parcels: readonly Parcel[];
  readonly rejections: readonly Rejection[];
  /** What is new of groups that mappings ask for. */
  readonly groups: readonly RememberedGroup[];
  readonly rows?: readonly KnownRow[];
  /** Absent: nothing was mended. */
  readonly mended?: MendCounts;
}

export interface PushRequest {
  /** Path after the door's own prefix: for the tracking API what follows `/v1/`. */
  readonly path: string;
  /** Lower-case names; a repeated header is joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as it came, decompressed: signatures are over these bytes. */
  readonly body: Uint8Array;
  readonly receivedAt: number;
}

/** What one request brought, and to which source: behind the tracking API its write key tells. */
export interface PushIntake extends Intake {
  readonly source: string;
}

/**
 * Reads one request. Pure: no I/O.
 * @throws UNAUTHORIZED, NOT_FOUND, INPUT_INVALID, INPUT_TOO_LARGE for the request as a whole.
 */
export type PushDoor = (request: PushRequest) => PushIntake;

export interface PullSource {
  /** Name of the checkpoint: differs for each file or account that has a position of its own. */
  readonly checkpointName: string;

  /**
   * Pages from after `cursor` (null: from the beginning), each with the cursor that stands for all up to its end.
   * The same cursor gives the same records again. Stops early, without error, when `signal` aborts.
   * @throws INPUT_INVALID, INPUT_CHANGED, NOT_FOUND
   */
  pages(cursor: string | null, signal: AbortSignal): AsyncIterable<Page | PreparedPage>;
}

export interface Page extends Intake {
  /** To be called when it is on disk, or when it is known that it will not be. */
  readonly committed?: (isOnDisk: boolean) => void;
  readonly cursor: string;
  readonly progress: PullProgress;
}

/** A page that was also mapped, in a thread of the source's own. */
export interface PreparedPage extends Prepared {
  /** Its parcels were committed: their memory may be used again. */
  release(): void;
  readonly cursor: string;
  readonly progress: PullProgress;
}

export interface PullProgress {
  /** Records read since the beginning, those before the cursor included. */
  readonly records: number;
  /** Bytes of input read, and in all; null when not known. */
  readonly bytes: number;
  readonly totalBytes: number | null;
  /** Records left out since the cursor, because nobody asked for them. */
  readonly skipped?: number;
  /** What a source of rows says of its run. */
  readonly run?: RunReport;
}
