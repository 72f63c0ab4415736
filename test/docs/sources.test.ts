/** What docs/sources.md shows is a configuration and a mapping that load, and its table has every source there is. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkConfig, configJsonSchema } from "../../src/config.ts";
import { compileMapping } from "../../src/core/mapping/compile.ts";

const text = readFileSync(new URL("../../docs/sources.md", import.meta.url), "utf8");
const blocks = (kind: string) =>
  [...text.matchAll(new RegExp(`\`\`\`yaml ${kind}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, content = ""]) => content);

describe("docs/sources.md", () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "prickle-docs-"));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  it.each(blocks("config"))("shows a configuration without problems (%#)", (content) => {
    const [mapping = ""] = blocks("mapping");
    writeFileSync(join(cwd, "accounts.yaml"), mapping);
    writeFileSync(join(cwd, "prickle.yaml"), content);
    const names = [...content.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, "x"]);
    expect(checkConfig({ cwd, env: Object.fromEntries(names) }).problems).toEqual([]);
  });

  it("shows a mapping that does what it says", () => {
    const [content = ""] = blocks("mapping");
    const mapping = compileMapping({ name: "accounts", file: "accounts.yaml", text: content });
    const apply = (payload: Record<string, string | null | { as: string; at: string; into: null }>) =>
      mapping.apply({ source: "accounts", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload }).drafts;
    expect(apply({ id: "7", name: "Acme", updated_at: "x", deleted_at: null })).toMatchObject([
      { groupKey: "7", properties: { name: "Acme", deleted_at: null, deleted: false } },
    ]);
    const removed = { as: "archived", at: "2026-11-01T00:00:00.000Z", into: null };
    expect(apply({ id: "7", removed })).toMatchObject([{ groupKey: "7", properties: { deleted: true } }]);
  });

  it("has a column for every type of source there is", () => {
    const types = [...JSON.stringify(configJsonSchema()).matchAll(/"const":"(\w+)"/g)].map(([, type]) => type);
    const [head = ""] = text.split("\n").filter((line) => line.startsWith("| | "));
    const columns = head.split("|").map((cell) => cell.trim());
    const sources = types.filter((type) => !["engine", "console", "posthog"].includes(type ?? ""));
    expect(sources.length).toBeGreaterThan(5);
    expect(columns).toEqual(expect.arrayContaining(sources));
  });
});
