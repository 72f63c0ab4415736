/**
 * The fake PostHog as a process of its own, for kill tests and benches: `node test/fakes/posthog-process.ts [port]`.
 * Prints one line, `{"port":…}`, when it listens. Each line on stdin is the JSON of a failure for the next request, or
 * `report`, answered by one line: `{"arrivals":[uuid …],"events":[…],"groups":{"type\u0000key":{…}}}`.
 */

import { createInterface } from "node:readline";
import { type Failure, startFakePosthog } from "./posthog.ts";

const posthog = await startFakePosthog(Number(process.argv[2] ?? 0));
const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

say({ port: posthog.port });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "report") {
    say({ arrivals: posthog.arrivals, events: posthog.events(), groups: Object.fromEntries(posthog.groups) });
  } else {
    posthog.failNext(JSON.parse(line) as Failure); // Written by the test that started us.
  }
}
await posthog.close();
