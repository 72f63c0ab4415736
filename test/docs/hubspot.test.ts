/** What docs/hubspot.md shows are settings there are, and mappings that load. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createSecret } from "../../src/config/secret.ts";
import { hubspot } from "../../src/config/sources/hubspot.ts";
import { parseConfig } from "../../src/config.ts";
import { checkMapping } from "../../src/core/mapping/compile.ts";
import { shippedSource } from "../core/mapping/shipped.ts";

const text = readFileSync(new URL("../../docs/hubspot.md", import.meta.url), "utf8");
const blocks = (kind: string) =>
  [...text.matchAll(new RegExp(`\`\`\`yaml ${kind}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, content = ""]) => content);

describe("docs/hubspot.md", () => {
  it.each(blocks("config"))("shows a source that is taken (%#)", (content) => {
    const { sources } = parse(content);
    const accessToken = createSecret("pat-eu1-key");
    const config = parseConfig({ sources: { hubspot: { ...sources.hubspot, accessToken } } }, { cwd: "." });
    expect(config.sources).toMatchObject([{ name: "hubspot", type: "pull" }]);
  });

  it.each(blocks("mapping"))("shows a mapping that loads (%#)", (content) => {
    const { environment } = shippedSource("hubspot");
    const source = { name: "own", file: "own.yaml", text: content, ...(environment ? { environment } : {}) };
    expect(checkMapping(source)).toEqual([]);
  });

  it("names every setting", () => {
    for (const key of Object.keys(hubspot.shape)) expect(text).toContain(`\`${key}\``);
  });
});
