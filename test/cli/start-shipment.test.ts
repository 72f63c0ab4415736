import { describe, expect, it } from "vitest";
import { generateSample } from "../../samples/sample.ts";
import { planSample, type Shipment } from "../../src/cli/sample-shipment.ts";
import type { PushDoor } from "../../src/core/source.ts";
import { createTrackingDoor } from "../../src/sources/segment/tracking-door.ts";
import { createWebhookDoor } from "../../src/sources/segment/webhook-door.ts";

const credentials = { source: "segment", writeKey: "wk_sample", webhookSecret: "s3cr3t" };
const text = generateSample();
const sample = planSample(text, credentials);

const webhook = createWebhookDoor({ source: "segment", secrets: ["s3cr3t"], bearer: null });
const tracking = createTrackingDoor({ sources: [{ name: "segment", writeKeys: ["wk_sample"] }] });

describe("the sample as requests", () => {
  it("sends every call once, to one door or the other", () => {
    const lines = text.trimEnd().split("\n").length;
    expect(sample.calls).toBe(lines);
    expect(sample.byDoor.webhook + sample.byDoor.tracking).toBe(lines);
    expect(Object.values(sample.byType).reduce((sum, count) => sum + count)).toBe(lines);
  });

  it("passes Segment's own doors, signature, write key and limits included", () => {
    const taken = [...enter(webhook, sample.shipments.webhook), ...enter(tracking, sample.shipments.tracking)];
    const rejections = taken.flatMap((intake) => intake.rejections);
    const records = taken.flatMap((intake) => intake.records);
    expect(records.length + rejections.length).toBe(sample.calls);
    expect(rejections.length).toBeGreaterThan(0);
    expect(rejections.length).toBeLessThan(40);
  });

  it("keeps the time at which each call happened", () => {
    const [first] = enter(tracking, sample.shipments.tracking);
    const { occurredAt, statedAt } = first?.records[0] ?? {};
    expect(new Date(occurredAt ?? 0).toISOString().slice(0, 10)).toBe("2026-08-03");
    expect(statedAt).toBe(occurredAt);
  });

  it("is refused with another secret", () => {
    const { shipments } = planSample(text, { ...credentials, webhookSecret: "other" });
    expect(() => enter(webhook, shipments.webhook)).toThrow(/signature/i);
  });
});

function enter(door: PushDoor, shipments: readonly Shipment[]): ReturnType<PushDoor>[] {
  return shipments.map(({ path, headers, body }) =>
    door({ path: path.replace("/v1/", ""), headers, body: Buffer.from(body), receivedAt: Date.UTC(2026, 10, 23) }),
  );
}
