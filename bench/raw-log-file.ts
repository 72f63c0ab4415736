/** Writes a raw log as Segment leaves it in S3: gzip JSON lines of about 1 KB, as a browser's calls have, with ids as random as there. */

import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

const LINES_PER_CHUNK = 1000;
const START_MS = Date.UTC(2026, 0, 1);
const USER_AGENT =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
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
    messageId: `ajs-next-${START_MS + at * 25}-${randomBytes(8).toString("hex")}`,
    anonymousId: `${randomBytes(4).toString("hex")}-bbac-11e4-8dfc-aa07a5b093db`,
    channel: "browser",
    context: {
      groupId,
      library: { name: "analytics.js", version: "next-1.82.0" },
      ip: "203.0.113.7",
      locale: "en-GB",
      timezone: "Europe/London",
      userAgent: USER_AGENT,
      page: {
        path: `/board/${at % 900}/tasks`,
        referrer: "https://plankton.example/home",
        search: "",
        title: "Tasks · Plankton",
        url: `https://plankton.example/board/${at % 900}/tasks`,
      },
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
