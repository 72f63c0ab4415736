/** The shipped Segment mapping on one call. */

import { readFile } from "node:fs/promises";
import { compileMapping } from "../src/core/mapping/compile.ts";
import type { SourceRecord } from "../src/core/record.ts";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";

/**
 * Segment's mapping-kit does not install outside its monorepo. Measured beside JSON.parse of the same 1.1 KB group call it made
 * 0.44 and 0.52 of its rate (150 of 343 and 132 of 255 thousand a second), so 20 times mapping-kit is 10 times JSON.parse.
 */
const MAPPING_KIT_OF_JSON_PARSE = 0.5;
const GOAL = 20;

export const mapping: Benchmark = {
  name: "mapping",
  about:
    "One group call through mappings/segment.yaml, against JSON.parse of the call and so against Segment's mapping-kit.",

  async run({ quick, log }) {
    const file = "mappings/segment.yaml";
    const text = await readFile(new URL(`../${file}`, import.meta.url), "utf8");
    const { apply } = compileMapping({ name: "segment", text, file });
    const json = JSON.stringify(groupCall());
    const record: SourceRecord = {
      source: "bench",
      id: "1",
      occurredAt: 0,
      statedAt: 0,
      receivedAt: 0,
      payload: JSON.parse(json),
    };
    const roundMs = quick ? 100 : 1000;
    const rounds = await interleave(quick ? 3 : 7, {
      parse: async () => ratePerSecond(roundMs, () => Object.keys(JSON.parse(json)).length),
      map: async () => ratePerSecond(roundMs, () => apply(record).drafts.length),
    });
    for (const { parse, map } of rounds) log(`JSON.parse ${short(parse)}/s, mapping ${short(map)}/s`);
    const ofParse = median(rounds.map(({ parse, map }) => map / parse));
    return [
      {
        kind: "measured",
        what: "group calls/s, of mapping-kit (through JSON.parse, 0.5)",
        value: ofParse / MAPPING_KIT_OF_JSON_PARSE,
        unit: "x",
        goal: { atLeast: GOAL },
        note: `${short(median(rounds.map(({ map }) => map)))}/s; ${ofParse.toFixed(1)} x JSON.parse of the ${json.length} bytes`,
      },
    ];
  },
};

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
