/** A request that stops half way until it is told to go on. */

import { once } from "node:events";
import { connect } from "node:net";

export interface BegunRequest {
  /** Sends the rest. */
  finish(): void;
  /** When the connection ends; null if it ended without an answer. */
  readonly answer: Promise<BegunAnswer | null>;
}

export interface BegunAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
}

/** Up to the middle of its head; or up to the middle of its body, the head having been read over there for sure. */
export type Begun = "head" | "body";

/** Resolves when everything up to there is on its way. */
export async function beginRequest(
  url: string,
  { writeKey, call, upTo }: { readonly writeKey: string; readonly call: object; readonly upTo: Begun },
): Promise<BegunRequest> {
  const body = JSON.stringify({ batch: [call], sentAt: new Date().toISOString() });
  const { hostname, port, host } = new URL(url);
  const headers = {
    host,
    authorization: `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}`,
    connection: "close",
    "content-length": body.length,
    ...(upTo === "body" ? { expect: "100-continue" } : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = ["POST /v1/batch HTTP/1.1", ...lines, "", ""].join("\r\n");

  const socket = connect(Number(port), hostname);
  let answered = "";
  socket.on("data", (part) => {
    answered += part;
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined); // Then it closes.
  await once(socket, "connect");
  const [first, rest] = upTo === "head" ? halve(head) : [head, ""];
  const [firstOfBody, restOfBody] = upTo === "head" ? ["", body] : halve(body);
  socket.write(first);
  if (upTo === "body") await once(socket, "data"); // 100 Continue
  socket.write(firstOfBody);
  return {
    finish: () => void socket.write(rest + restOfBody),
    answer: closed.then(() => readAnswer(answered)),
  };
}

function halve(text: string): readonly [string, string] {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}

function readAnswer(text: string): BegunAnswer | null {
  const status = /^HTTP\/1\.1 ([2-5]\d\d)/m.exec(text)?.[1];
  if (status === undefined) return null;
  return { status: Number(status), retryAfter: /^retry-after: *(.+?)\r$/im.exec(text)?.[1] ?? null };
}
