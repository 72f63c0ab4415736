/** The body of a v0 batch request, put together from stored bytes: nothing is parsed on the way out. */

import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { createMemoryPool } from "../../core/memory-pool.ts";
import type { OutboxMessage } from "../../core/message.ts";

type Bodied = Pick<OutboxMessage, "body">;

export interface Envelope {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** What goes into each event's `properties` before they close, with them and the event closed after it. */
  readonly ending: Uint8Array;
  readonly endingAfterComma: Uint8Array;
}

const COMMA = 0x2c;
const OPENING_BRACE = 0x7b;
const CLOSING = "}}".length;
const MOST_UNUSED = 8;

/**
 * No `sent_at` and `$ignore_sent_at`: else PostHog moves timestamps by its distance to `sent_at`, and a repetition would
 * land on another time and count twice. `$geoip_disable`: our address says nothing about the user's.
 */
export function createEnvelope(options: {
  readonly token: string;
  readonly version: string;
  /** Events of at least 48 hours ago, which PostHog takes by a queue of their own. */
  readonly isHistory?: boolean;
}): Envelope {
  const migration = options.isHistory ? `"historical_migration":true,` : "";
  const own = `"$ignore_sent_at":true,"$geoip_disable":true,"$lib":"prickle","$lib_version":${JSON.stringify(options.version)}}}`;
  return {
    head: Buffer.from(`{"api_key":${JSON.stringify(options.token)},${migration}"batch":[`),
    tail: Buffer.from("]}"),
    ending: Buffer.from(own),
    endingAfterComma: Buffer.from(`,${own}`),
  };
}

/** Builds batches and packs them with gzip. */
export function createBatchPacker(envelope: Envelope): (messages: readonly Bodied[]) => Promise<Buffer> {
  const pool = createMemoryPool(MOST_UNUSED);
  return async (messages) => {
    const memory = pool.take(batchBytes(envelope, messages));
    try {
      return await gzipFast(buildBatch(envelope, messages, Buffer.from(memory)));
    } finally {
      pool.give(memory);
    }
  };
}

/** At most how many bytes the batch takes. */
function batchBytes(envelope: Envelope, messages: readonly Bodied[]): number {
  let size = envelope.head.length + envelope.tail.length + messages.length * (envelope.endingAfterComma.length + 1);
  for (const { body } of messages) size += body.length - CLOSING;
  return size;
}

function buildBatch(envelope: Envelope, messages: readonly Bodied[], batch: Buffer): Buffer {
  batch.set(envelope.head);
  let end = envelope.head.length;
  for (const { body } of messages) {
    if (end > envelope.head.length) batch[end++] = COMMA;
    const open = body.length - CLOSING;
    batch.set(body.subarray(0, open), end);
    end += open;
    const ending = body[open - 1] === OPENING_BRACE ? envelope.ending : envelope.endingAfterComma;
    batch.set(ending, end);
    end += ending.length;
  }
  batch.set(envelope.tail, end);
  return batch.subarray(0, end + envelope.tail.length);
}

const gzipAsync = promisify(gzip);

/** What comes out in one piece: each piece is a turn of the event loop, and a batch becomes a fifth of itself. */
const CHUNK_BYTES = 256 * 1024;

/** Level 1, off the main thread: level 6 costs twice the time for an eighth fewer bytes. */
function gzipFast(bytes: Uint8Array): Promise<Buffer> {
  return gzipAsync(bytes, { level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
}
