import { expect, it } from "vitest";
import type { MappingEnvironment, MappingSource } from "../../../src/core/mapping/compile.ts";
import { compilePortable, portableMapping } from "../../../src/core/mapping/portable.ts";
import { applyTo } from "./shipped.ts";

const BASE: MappingSource = {
  name: "base",
  file: "base.yaml",
  text: `
groupTypes: [company]
rules:
  - name: seen
    event:
      name: Seen
      distinctId: { "@hash": { value: { "@path": $.userId }, key: "\${HASH_KEY}" } }
      properties:
        plan: { "@lookup": { value: { "@path": $.plan }, file: plans.csv, from: code, to: name } }
`,
};
const SOURCE: MappingSource = {
  name: "own",
  file: "own.yaml",
  text: 'extends: base\nrules:\n  - name: other\n    when: type = "page"\n    event: { name: Page, distinctId: { "@path": $.userId } }\n',
};
const environment: MappingEnvironment = {
  readFile: (path, from) =>
    path === "plans.csv" && from === "base.yaml" ? { text: "code,name\np1,Pro\n" } : { absent: "no" },
  secret: (name) => (name === "HASH_KEY" ? "k" : null),
  preset: (name) => (name === "base" ? { ...BASE, environment } : { absent: "no" }),
};

it("makes of every record what it makes at home, from data that another thread can be sent", () => {
  const portable = structuredClone(portableMapping({ ...SOURCE, environment }));
  const there = compilePortable(portable);
  const [draft] = applyTo(there, { type: "track", userId: "u", plan: "p1" }).drafts;
  expect(draft).toMatchObject({ event: "Seen", properties: { plan: "Pro" } });
  expect(draft).toMatchObject({ distinctId: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(applyTo(there, { type: "page", userId: "u" }).rule).toBe("other");
});

it("is refused, with its problems, where it does not compile at home", () => {
  expect(() => portableMapping(SOURCE)).toThrow("base");
});
