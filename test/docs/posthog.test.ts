/** docs/posthog.md names every setting of how PostHog is spoken to, with the default it has. */

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createSecret, parseConfig } from "../../src/config.ts";

const text = readFileSync(new URL("../../docs/posthog.md", import.meta.url), "utf8");

it("names the settings of a PostHog destination that concern delivery, with their defaults", () => {
  const posthog = { type: "posthog", host: "https://us.i.posthog.com", token: createSecret("phc_docs") } as const;
  const [settings] = parseConfig({ destinations: { posthog } }, { cwd: "/" }).destinations;
  if (settings?.type !== "posthog") throw new Error("there is no such destination");
  const defaults = {
    messagesPerSecond: settings.messagesPerSecond,
    messagesPerDistinctIdPerSecond: settings.messagesPerDistinctIdPerSecond,
    concurrency: settings.concurrency,
    maxMessages: settings.maxMessages,
    // Left to the protocol.
    compression: settings.compression ?? "zstd by v1, gzip by v0",
  };
  for (const [name, value] of Object.entries(defaults)) {
    const row = text.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
    expect(row).toContain(String(value));
  }
  expect(text).toContain(`\`protocol: ${settings.protocol}\` (default)`);
  expect(text).toContain(`\`${settings.groupDistinctId}\` (default)`);
});
