/** Fills an outbox with events of about 1 KB, through the ledger's own commits. */

import { messageUuid, recordUuid } from "../../src/core/identity.ts";
import { writeMessage } from "../../src/core/message.ts";
import { createParcelWriter } from "../../src/core/parcel.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { openBenchLedger } from "./bench-ledger.ts";

const RECORDS_PER_COMMIT = 1000;
const NOTE = "A cheerful note about quarterly planning, long enough to look like what people really send. ".repeat(7);

const { dataDir, messages }: { dataDir: string; messages: number } = JSON.parse(process.argv[2] ?? "{}");
const parcel = createParcelWriter();
const ledger = await openBenchLedger(dataDir);
for (let at = 0; at < messages; at += RECORDS_PER_COMMIT) {
  const count = Math.min(RECORDS_PER_COMMIT, messages - at);
  for (let offset = 0; offset < count; offset++) writeRecord(at + offset);
  await ledger.commit({ parcels: [parcel.take()], rejections: [] });
}
const { depth } = await ledger.status();
await ledger.close();
console.log(JSON.stringify({ depth }));

function writeRecord(at: number): void {
  const occurredAt = Date.UTC(2026, 10, 1) + at;
  const source: SourceRecord = {
    source: "bench",
    id: `record-${at}`,
    occurredAt,
    statedAt: occurredAt,
    receivedAt: occurredAt,
    payload: {},
  };
  parcel.record(recordUuid(source));
  const problem = writeMessage(
    {
      kind: "event",
      event: "Task Completed",
      distinctId: `user-${at % 5000}`,
      properties: { project_id: `prj_${at % 900}`, title: "Quarterly review", note: NOTE, priority: 3 },
      groups: { company: `co_${at % 500}` },
    },
    { uuid: messageUuid(source, 0), occurredAt, lanes: ledger.lanes },
    parcel,
  );
  if (problem) throw new Error(problem.detail);
}
