// biome-ignore-all lint/suspicious/noThenProperty: that is how @if is written
/** Group calls through mappings, against Segment's mapping-kit on the same calls in the same run. */

import { deepStrictEqual } from "node:assert";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { JsonObject } from "../src/core/json.ts";
import { compileMapping } from "../src/core/mapping/compile.ts";
import type { Mapping } from "../src/core/mapping/mapping.ts";
import type { SourceRecord } from "../src/core/record.ts";
import { type Benchmark, interleave, type Measured, median, short } from "./benchmark.ts";

const GOAL = 20;

/** Its build for `import` does not load in Node; the one for `require` does. */
const { transform } = createRequire(import.meta.url)(
  "@segment/actions-core/mapping-kit",
) as typeof import("@segment/actions-core/mapping-kit");

const path = (text: string) => ({ "@path": text });
const traits = path("$.traits");
const company = { "@template": "company" };
const otherType = { "@if": { exists: path("$.traits.group_type"), then: path("$.traits.group_type"), else: company } };

/** What mappings/segment.yaml says of a group call, as near as Segment's directives come. */
const PLAIN = {
  groupType: { "@if": { exists: path("$.traits.groupType"), then: path("$.traits.groupType"), else: otherType } },
  groupKey: path("$.groupId"),
  properties: traits,
};

/** A mapping with work to do, which both take as it is. */
const RICH = {
  groupType: "company",
  groupKey: { "@case": { operator: "lower", value: path("$.groupId") } },
  properties: {
    "@merge": {
      direction: "right",
      objects: [
        { "@flatten": { value: traits, separator: "_" } },
        { label: { "@template": "{{traits.name}} ({{traits.plan}})" }, url: path("$.context.page.url") },
        { "@excludeWhenNull": { phone: path("$.traits.phone"), locale: path("$.context.locale") } },
      ],
    },
  },
};

export const mapping: Benchmark = {
  name: "mapping",
  about: "Group calls through mappings/segment.yaml and through a richer mapping, against Segment's mapping-kit.",

  async run({ quick, log }) {
    const json = JSON.stringify(groupCall());
    const payload = JSON.parse(json);
    const record: SourceRecord = { source: "bench", id: "1", occurredAt: 0, statedAt: 0, receivedAt: 0, payload };
    const shipped = await readFile(new URL("../mappings/segment.yaml", import.meta.url), "utf8");
    const pairs = [
      { what: "group calls/s, of mapping-kit", ours: compiled(shipped), theirs: PLAIN, goal: { atLeast: GOAL } },
      { what: "… with a richer mapping, dialect: segment", ours: compiled(ruleOf(RICH)), theirs: RICH, goal: null },
    ];
    const roundMs = quick ? 100 : 1000;
    const measures: Measured[] = [];
    for (const { what, ours, theirs, goal } of pairs) {
      checkSame(ours, theirs, record);
      const rounds = await interleave(quick ? 3 : 7, {
        kit: async () => ratePerSecond(roundMs, () => Object.keys(transform(theirs, payload)).length),
        map: async () => ratePerSecond(roundMs, () => ours.apply(record).drafts.length),
      });
      for (const { kit, map } of rounds) log(`mapping-kit ${short(kit)}/s, mapping ${short(map)}/s`);
      const value = median(rounds.map(({ kit, map }) => map / kit));
      const [map, kit] = [median(rounds.map((round) => round.map)), median(rounds.map((round) => round.kit))];
      const note = `${short(map)}/s, mapping-kit ${short(kit)}/s, on ${json.length} bytes`;
      measures.push({ kind: "measured", what, value, unit: "x", goal, note });
    }
    return measures;
  },
};

function compiled(text: string): Mapping {
  return compileMapping({ name: "bench", text, file: "bench.yaml" });
}

function ruleOf(groupIdentify: JsonObject): string {
  return JSON.stringify({ dialect: "segment", groupTypes: ["company"], rules: [{ name: "group", groupIdentify }] });
}

/** Work that gives something else is no comparison. */
function checkSame({ apply }: Mapping, theirs: JsonObject, record: SourceRecord): void {
  const [draft] = apply(record).drafts;
  deepStrictEqual({ kind: "groupIdentify", ...transform(theirs, record.payload) }, { ...draft });
}

function ratePerSecond(forMs: number, work: () => number): number {
  const startedAt = performance.now();
  let done = 0;
  let kept = 0;
  while (performance.now() - startedAt < forMs) {
    for (let turn = 0; turn < 200; turn++) kept += work();
    done += 200;
  }
  if (kept === 0) throw new Error("The work gave nothing.");
  return done / ((performance.now() - startedAt) / 1000);
}

/** About 1.1 KB, as in the facts. */
function groupCall(): object {
  return {
    type: "group",
    version: 2,
    channel: "server",
    messageId: "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
    anonymousId: "507f191e810c19729de860ea",
    userId: "97980cfea0067",
    groupId: "0e8c78ea9d97a7b8185e8632",
    traits: {
      name: "Initech",
      industry: "Technology",
      employees: 329,
      plan: "enterprise",
      "total billed": 830,
      website: "https://initech.example",
      address: { city: "Austin", country: "US", postalCode: "78701", state: "TX", street: "4120 Freidrich Lane" },
      createdAt: "2014-02-23T22:28:55.100Z",
    },
    context: {
      groupId: "0e8c78ea9d97a7b8185e8632",
      ip: "203.0.113.8",
      locale: "en-US",
      library: { name: "@segment/analytics-node", version: "3.1.0" },
      userAgent:
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
      page: {
        path: "/academy/",
        referrer: "",
        search: "",
        title: "Analytics Academy",
        url: "https://initech.example/academy/",
      },
    },
    integrations: { All: true, Mixpanel: false, Salesforce: false },
    originalTimestamp: "2026-02-23T22:28:55.100Z",
    sentAt: "2026-02-23T22:28:55.111Z",
    receivedAt: "2026-02-23T22:28:55.387Z",
    timestamp: "2026-02-23T22:28:55.376Z",
  };
}
