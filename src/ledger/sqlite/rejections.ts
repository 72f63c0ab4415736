/** What could not be used, kept for people to look at. */

import type { DatabaseSync } from "node:sqlite";
import type { KeptRejection } from "../../core/ledger.ts";
import type { Rejection, RejectionReason } from "../../core/record.ts";

export interface Rejections {
  /** False when one of the same source, record id and reason was kept already: this one then takes its place. */
  keep(rejection: Rejection): boolean;
  list(limit: number): readonly KeptRejection[];
  /** Of records with these ids, whichever of the sources they are of; oldest first. */
  ofRecords(sources: readonly string[], recordIds: readonly string[]): readonly KeptRejection[];
  /** Forgets the old ones, and all but the newest. */
  prune(now: number): void;
}

const KEPT_MS = 30 * 86_400_000;
const MOST_KEPT = 100_000;

export function createRejections(database: DatabaseSync): Rejections {
  const insert = database.prepare(
    `INSERT INTO rejections (source, record_id, reason, detail, received_at, payload) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const replace = database.prepare(
    "UPDATE rejections SET detail = ?, received_at = ?, payload = ? WHERE source = ? AND record_id = ? AND reason = ?",
  );
  const newest = database.prepare("SELECT * FROM rejections ORDER BY id DESC LIMIT ?");
  // By the index of what is unique.
  const ofRecords = database.prepare(
    `SELECT * FROM rejections WHERE source IN (SELECT value FROM json_each(?))
       AND record_id IN (SELECT value FROM json_each(?)) ORDER BY id`,
  );
  const forgetOld = database.prepare("DELETE FROM rejections WHERE received_at < ?");
  const forgetRest = database.prepare("DELETE FROM rejections WHERE id <= (SELECT max(id) FROM rejections) - ?");
  return {
    keep({ source, recordId, reason, detail, receivedAt, payload }) {
      const text = JSON.stringify(payload);
      if (insert.run(source, recordId, reason, detail, receivedAt, text).changes === 1) return true;
      replace.run(detail, receivedAt, text, source, recordId, reason);
      return false;
    },
    list: (limit) => newest.all(limit).map(rejectionOf),
    ofRecords: (sources, recordIds) =>
      ofRecords.all(JSON.stringify(sources), JSON.stringify(recordIds)).map(rejectionOf),
    prune(now) {
      forgetOld.run(now - KEPT_MS);
      forgetRest.run(MOST_KEPT);
    },
  };
}

function rejectionOf(row: Record<string, unknown>): KeptRejection {
  return {
    id: Number(row.id),
    source: String(row.source),
    recordId: row.record_id === null ? null : String(row.record_id),
    reason: String(row.reason) as RejectionReason, // Written by `keep`.
    detail: String(row.detail),
    receivedAt: Number(row.received_at),
    payload: JSON.parse(String(row.payload)),
  };
}
