/** Messages as they leave the ledger. */

import type { MessageContext, OutboxMessage, OutgoingMessage } from "../../src/core/message.ts";
import { serviceOfLane } from "../../src/core/service.ts";
import { messageFrom } from "./parcels.ts";

/** Of each service. */
export const LANES = 8;

/** A group identify: `sequence` becomes its uuid, its time and a property. */
export function groupIdentify(groupKey: string, sequence: number): OutgoingMessage {
  const draft = { kind: "groupIdentify", groupType: "company", groupKey, properties: { sequence } } as const;
  const occurredAt = Date.UTC(2026, 9, 1) + sequence;
  return messageFrom(draft, { uuid: uuidOf(sequence), occurredAt, lanes: LANES });
}

/** An event of `distinctId`: `sequence` becomes its uuid and a property. */
export function event(
  distinctId: string,
  sequence: number,
  { occurredAt = Date.UTC(2026, 9, 1), service = "live" }: Partial<Pick<MessageContext, "occurredAt" | "service">> = {},
): OutgoingMessage {
  const draft = { kind: "event", event: "Signed In", distinctId, properties: { sequence }, groups: {} } as const;
  return messageFrom(draft, { uuid: uuidOf(sequence), occurredAt: occurredAt + sequence, lanes: LANES, service });
}

/** `count` messages over `keys` groups, in turn. */
export function groupIdentifies(count: number, keys = 20): readonly OutgoingMessage[] {
  return Array.from({ length: count }, (_, sequence) => groupIdentify(`company-${sequence % keys}`, sequence));
}

export function outboxMessages(count: number, keys = 20): readonly OutboxMessage[] {
  return groupIdentifies(count, keys).map(toOutbox);
}

export function toOutbox({ lane, json }: OutgoingMessage, seq: number): OutboxMessage {
  const historical = serviceOfLane(lane, LANES) === "historical";
  return { seq, lane, historical, body: Buffer.from(json), attempts: 0, firstAttemptAt: null };
}

/** The uuid its text says. */
export function uuidIn({ body }: Pick<OutboxMessage, "body">): string {
  return JSON.parse(new TextDecoder().decode(body)).uuid;
}

export function uuidOf(sequence: number): string {
  return `00000000-0000-7000-8000-${String(sequence).padStart(12, "0")}`;
}
