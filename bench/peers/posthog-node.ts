/** What people build without prickle: an HTTP door that hands every call to posthog-node, at its defaults. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PostHog } from "posthog-node";

interface Call {
  readonly userId: string;
  readonly event: string;
  readonly timestamp: string;
  readonly properties: Record<string, unknown>;
  readonly context: { readonly groupId: string };
}

const { sinkUrl }: { sinkUrl: string } = JSON.parse(process.argv[2] ?? "{}");
const posthog = new PostHog("phc_bench", { host: sinkUrl });
posthog.on("error", () => undefined);

function capture({ userId, event, timestamp, properties, context }: Call): void {
  const groups = { company: context.groupId };
  posthog.capture({ distinctId: userId, event, properties, groups, timestamp: new Date(timestamp) });
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body: Call | { batch: Call[] } = JSON.parse(Buffer.concat(chunks).toString());
    if ("batch" in body) for (const call of body.batch) capture(call);
    else capture(body);
    response.writeHead(200, { "content-type": "application/json", "content-length": 16 });
    response.end('{"success":true}');
  });
});

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});
process.on("SIGTERM", async () => {
  await posthog.shutdown(10_000).catch(() => undefined);
  process.exit(0);
});
