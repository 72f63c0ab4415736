/** Calls in the shape of Segment's raw logs. */

import { hash } from "node:crypto";

export interface Call {
  readonly type: string;
  readonly timestamp: string;
  readonly messageId: string;
  readonly channel: Channel;
  readonly [field: string]: unknown;
}

export type Channel = "browser" | "mobile" | "server";

const LIBRARIES: Readonly<Record<Channel, object>> = {
  browser: { name: "analytics.js", version: "next-1.82.0" },
  mobile: { name: "analytics-react-native", version: "2.21.0" },
  server: { name: "@segment/analytics-node", version: "3.1.0" },
};

export interface CallFields {
  readonly type: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly [field: string]: unknown;
}

/** Adds what SDK and Segment's edge add. The messageId rests on the content, so the same call has the same one. */
export function completeCall(channel: Channel, atMs: number, fields: CallFields, groupId?: string): Call {
  const timestamp = new Date(atMs).toISOString();
  const id = hash("sha1", `${timestamp}${JSON.stringify(fields)}`, "hex").slice(0, 16);
  return {
    ...fields,
    messageId: `pk-${id}`,
    channel,
    context: { ...(groupId === undefined ? {} : { groupId }), library: LIBRARIES[channel] },
    integrations: {},
    originalTimestamp: timestamp,
    sentAt: timestamp,
    receivedAt: new Date(atMs + 240).toISOString(),
    timestamp,
  };
}
