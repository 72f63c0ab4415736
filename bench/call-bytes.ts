/** Requests of a load generator: calls of about 1 KB whose id, user and time are written into ready bytes. */

const FILLER = "A cheerful note about quarterly planning, long enough to look like what people really send. ".repeat(7);
const ID_PREFIX = "load-";
const ID_DIGITS = 24;
const USERS = 5000;

/** Gives bodies, each with ids never given before; `runId` keeps runs apart. */
export function createBodies(callsPerRequest: number, runId: string): () => Buffer {
  const call = callTemplate();
  const text =
    callsPerRequest === 1 ? call : `{"batch":[${Array.from({ length: callsPerRequest }, () => call).join(",")}]}`;
  const template = Buffer.from(text);
  const ids = placesOf(template, `"${ID_PREFIX}`);
  const users = placesOf(template, '"user-');
  const times = placesOf(template, '"timestamp":"').map((at) => at + '"timestamp":'.length);
  const prefix = runId.slice(0, 8).padEnd(8, "0");
  let made = 0;
  return () => {
    const now = new Date().toISOString();
    const body = Buffer.from(template);
    for (let at = 0; at < callsPerRequest; at++) {
      made += 1;
      body.write(
        prefix + made.toString(16).padStart(ID_DIGITS - 8, "0"),
        (ids[at] ?? 0) + 1 + ID_PREFIX.length,
        "latin1",
      );
      body.write((made % USERS).toString().padStart(6, "0"), (users[at] ?? 0) + '"user-'.length, "latin1");
      body.write(now, (times[at] ?? 0) + 1, "latin1");
    }
    return body;
  };
}

/** Four of five calls in real feeds are tracks. */
function callTemplate(): string {
  return JSON.stringify({
    type: "track",
    event: "Task Completed",
    userId: "user-000000",
    messageId: `${ID_PREFIX}${"0".repeat(ID_DIGITS)}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    properties: { project_id: "prj_1", title: "Quarterly review", note: FILLER, priority: 3, done: true },
    context: { groupId: "co_101", library: { name: "analytics.js", version: "next-1.82.0" }, locale: "en-GB" },
    integrations: {},
  });
}

function placesOf(bytes: Buffer, text: string): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(at);
  return places;
}
