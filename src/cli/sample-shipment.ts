/** Cuts the shipped sample into the HTTP requests that Segment and its SDKs would make of it. */

import { createHmac } from "node:crypto";
import { isJsonObject, type JsonObject } from "../core/json.ts";

export const SAMPLE_DOORS = ["webhook", "tracking"] as const;
export type SampleDoor = (typeof SAMPLE_DOORS)[number];

export interface SampleCredentials {
  /** Name of the source whose webhook is called. */
  readonly source: string;
  readonly writeKey: string;
  readonly webhookSecret: string;
}

export interface Shipment {
  readonly calls: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Sample {
  readonly calls: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byDoor: Readonly<Record<SampleDoor, number>>;
  /** In order of time; the order within a door is kept by sending one after the other. */
  readonly shipments: Readonly<Record<SampleDoor, readonly Shipment[]>>;
}

/** Segment's webhook sends arrays, its SDKs batches. */
const CALLS_PER_REQUEST: Readonly<Record<SampleDoor, number>> = { webhook: 25, tracking: 100 };

/** What an SDK does not send: Segment's edge adds it. */
const EDGE_FIELDS = ["channel", "originalTimestamp", "sentAt", "receivedAt"] as const;

/** Calls from browsers come as if their SDK pointed at prickle, all others as if Segment forwarded them. */
export function planSample(jsonLines: string, credentials: SampleCredentials): Sample {
  const calls = jsonLines.trimEnd().split("\n").map(parseCall);
  const webhook = calls.filter(({ channel }) => channel !== "browser");
  const tracking = calls.filter(({ channel }) => channel === "browser");
  return {
    calls: calls.length,
    byType: countByType(calls),
    byDoor: { webhook: webhook.length, tracking: tracking.length },
    shipments: {
      webhook: inParts(webhook, CALLS_PER_REQUEST.webhook).map((part) => webhookShipment(part, credentials)),
      tracking: inParts(tracking, CALLS_PER_REQUEST.tracking).map((part) => trackingShipment(part, credentials)),
    },
  };
}

function parseCall(line: string): JsonObject {
  const call: unknown = JSON.parse(line);
  if (!isJsonObject(call)) throw new TypeError("A line of the sample is not a JSON object.");
  return call;
}

function webhookShipment(calls: readonly JsonObject[], { source, webhookSecret }: SampleCredentials): Shipment {
  const body = JSON.stringify(calls);
  const signature = createHmac("sha1", webhookSecret).update(body).digest("hex");
  return {
    calls: calls.length,
    path: `/webhooks/${encodeURIComponent(source)}`,
    headers: { "content-type": "application/json", "x-signature": signature },
    body,
  };
}

/** Without `sentAt`: the times of the sample are right, there is no clock to correct. */
function trackingShipment(calls: readonly JsonObject[], { writeKey }: SampleCredentials): Shipment {
  return {
    calls: calls.length,
    path: "/v1/batch",
    headers: {
      "content-type": "application/json",
      authorization: `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}`,
    },
    body: JSON.stringify({ batch: calls.map(withoutEdgeFields) }),
  };
}

function withoutEdgeFields(call: JsonObject): JsonObject {
  const sent = { ...call };
  for (const field of EDGE_FIELDS) delete sent[field];
  return sent;
}

function inParts<Item>(items: readonly Item[], length: number): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / length);
  return Array.from({ length: count }, (_, at) => items.slice(at * length, (at + 1) * length));
}

/** Most frequent first. */
function countByType(calls: readonly JsonObject[]): Readonly<Record<string, number>> {
  const byType = Map.groupBy(calls, ({ type }) => String(type));
  const counts = [...byType].map(([type, found]) => [type, found.length] as const);
  return Object.fromEntries(counts.sort(([, one], [, other]) => other - one));
}
