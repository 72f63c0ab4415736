/** What the main thread and the threads that read pages say to each other. */

import type { PortableMapping } from "../../core/mapping/portable.ts";
import type { Prepared } from "../../core/source.ts";
import type { RawPage } from "../../platform/files/slicer.ts";
import type { Table } from "../../sources/file/read-rows.ts";
import type { RowReading } from "../../sources/file/row-reader.ts";
import type { TimeWindow } from "../../sources/file/visit-page.ts";

/** How the pages of a file are read: plain data, for any thread. */
export interface FileReading {
  /** As rejections name the file. */
  readonly path: string;
  readonly source: string;
  readonly receivedAt: number;
  /** Null: every line or row is a Segment call. */
  readonly rows: RowReading | null;
  /** Null: lines of JSON. */
  readonly table: Table | null;
  readonly window: TimeWindow;
}

export interface PageThreadOptions extends FileReading {
  readonly mapping: PortableMapping;
  readonly lanes: number;
  /** Only what records say of people. */
  readonly only?: "statements";
}

/** To a thread. `released`: memory of parcels it made, to be used again. `end`: it ends when it has read what it was given. */
export type PageRequest =
  | { readonly end: true }
  | { readonly id: number; readonly page: RawPage }
  | { readonly released: readonly ArrayBuffer[] };

/** `memory` is the page's. `failure`: a bug, told by its stack. */
export type PageReply =
  | { readonly id: number; readonly prepared: Prepared; readonly skipped: number; readonly memory: ArrayBuffer }
  | { readonly id: number; readonly failure: string };

/** Of the parcels, where it can be handed over: small ones share theirs. */
export function memoryOf({ parcels }: Prepared): readonly ArrayBuffer[] {
  return parcels
    .flatMap(({ ids, contents, origins }) => [ids, contents, origins])
    .flatMap(({ buffer, byteOffset }) =>
      buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength > Buffer.poolSize ? [buffer] : [],
    );
}
