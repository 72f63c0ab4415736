/** Writes a raw log as Segment leaves it in S3: gzip JSON lines of about 600 bytes, ids as random as there. */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

const LINES_PER_CHUNK = 1000;
const START_MS = Date.UTC(2026, 0, 1);
const EVENTS = ["Task Created", "Task Completed", "Comment Added", "Report Exported"];

export async function writeRawLog(path: string, lines: number): Promise<void> {
  await pipeline(Readable.from(chunks(lines)), createGzip({ level: 1, chunkSize: 1 << 18 }), createWriteStream(path));
}

function* chunks(lines: number): Generator<string> {
  for (let at = 0; at < lines; at += LINES_PER_CHUNK) {
    const count = Math.min(LINES_PER_CHUNK, lines - at);
    yield Array.from({ length: count }, (_, offset) => line(at + offset)).join("");
  }
}

/** Every tenth is a group call. */
function line(at: number): string {
  const timestamp = new Date(START_MS + at * 25).toISOString();
  const userId = `u_${(at * 7919) % 50_000}`;
  const groupId = `co_${(at * 31) % 2000}`;
  const shared = {
    messageId: `node-next-${START_MS + at * 25}-${randomBytes(8).toString("hex")}`,
    channel: "server",
    context: {
      groupId,
      library: { name: "@segment/analytics-node", version: "3.1.0" },
      ip: "203.0.113.7",
      locale: "en-GB",
    },
    integrations: {},
    originalTimestamp: timestamp,
    sentAt: timestamp,
    receivedAt: timestamp,
    timestamp,
  };
  const traits = {
    name: `Company ${groupId}`,
    plan: at % 3 ? "team" : "business",
    seats: at % 400,
    industry: "Logistics",
  };
  const properties = {
    project_id: `prj_${at % 9000}`,
    title: "Quarterly review",
    priority: at % 5,
    path: "/board/42/tasks",
  };
  const call =
    at % 10 === 0
      ? { type: "group", userId, groupId, traits, ...shared }
      : { type: "track", userId, event: EVENTS[at % EVENTS.length], properties, ...shared };
  return `${JSON.stringify(call)}\n`;
}
