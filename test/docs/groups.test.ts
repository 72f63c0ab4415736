/** What docs/groups.md shows is a mapping that loads, and its settings are settings there are. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkMapping, compileMapping } from "../../src/core/mapping/compile.ts";
import { groupsSchema } from "../../src/core/mapping/file-schema.ts";

const text = readFileSync(new URL("../../docs/groups.md", import.meta.url), "utf8");
const blocks = (kind: string) => [...text.matchAll(new RegExp(`\`\`\`yaml ${kind}\\n([\\s\\S]*?)\`\`\``, "g"))];
const sourceOf = (content: string) => ({ name: "docs", file: "docs.yaml", text: `dialect: prickle\n${content}` });

describe("docs/groups.md", () => {
  it.each(blocks("mapping").map(([, content = ""]) => content))("shows a mapping that loads (%#)", (content) => {
    expect(checkMapping(sourceOf(content)).filter(({ message }) => !message.includes("no rule makes"))).toEqual([]);
  });

  it("names every setting of groups", () => {
    const written = [...blocks("groups"), ...blocks("mapping")].flatMap(([, content = ""]) => {
      const read = parse(content);
      return Object.keys(read.groups ?? read);
    });
    expect(written).toEqual(expect.arrayContaining(Object.keys(groupsSchema.shape)));
    for (const [, content = ""] of blocks("groups")) {
      expect(groupsSchema.partial().safeParse(parse(content))).toMatchObject({ success: true });
    }
  });

  it("says what its first mapping says: who was removed has no company", () => {
    const [[, content = ""] = []] = blocks("mapping");
    const payload = { type: "track", event: "Member Removed", properties: { member_id: "ada", company_id: "acme" } };
    const record = { source: "s", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
    expect(compileMapping(sourceOf(content)).apply(record).statements).toEqual([
      { kind: "membership", ids: ["ada"], groupType: "company", groupKey: "acme", joins: false },
    ]);
  });
});
