import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrickleError } from "../../../src/core/errors.ts";
import { createWebhookDoor } from "../../../src/sources/segment/webhook-door.ts";
import { groupCall, nested, RECEIVED_AT, type RequestParts, request, sign, trackCall } from "./calls.ts";

const open = createWebhookDoor({ source: "main", secrets: [], bearer: null });
const signed = createWebhookDoor({ source: "main", secrets: ["new", "s3cr3t"], bearer: null });
const read = (body: RequestParts["body"]) => open(request({ body }));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PrickleError) return thrown.code;
    throw thrown;
  }
  return "accepted";
}

describe("the webhook door, by body", () => {
  it("takes a single call, an array of calls and an array of {json: call}", () => {
    const calls = [groupCall(), trackCall()];
    expect(read(groupCall()).records.map(({ id }) => id)).toEqual(["m1"]);
    expect(read(calls).records.map(({ id }) => id)).toEqual(["m1", "m2"]);
    expect(read(calls.map((json) => ({ json }))).records).toEqual(read(calls).records);
  });

  it("leaves a call alone that has a json of its own", () => {
    const call = trackCall({ json: { type: "group" } });
    expect(read([call]).records[0]?.payload).toEqual(call);
  });

  it("gives the whole call as payload, under its source", () => {
    const call = groupCall({ version: "1.1", integrations: { All: true } });
    const { source, records } = read(call);
    expect(source).toBe("main");
    expect(records[0]).toMatchObject({ source: "main", receivedAt: RECEIVED_AT, payload: call });
  });

  it("takes Segment's corrected timestamp as it is, and the original one as what the sender stated", () => {
    const { records } = read(
      groupCall({
        originalTimestamp: "2026-11-23T10:59:00.000Z",
        sentAt: "2026-11-23T10:59:01.000Z",
        receivedAt: "2026-11-23T11:00:01.000Z",
        timestamp: "2026-11-23T11:00:00.000Z",
      }),
    );
    expect(records[0]?.occurredAt).toBe(Date.parse("2026-11-23T11:00:00.000Z"));
    expect(records[0]?.statedAt).toBe(Date.parse("2026-11-23T10:59:00.000Z"));
  });

  it("keeps what is no call as a rejection beside its neighbours", () => {
    const { records, rejections } = read([5, groupCall(), { body: "a=1&b=2" }, { type: "delete", userId: "u9" }]);
    expect(records).toHaveLength(1);
    expect(rejections.map(({ reason, payload }) => [reason, payload])).toEqual([
      ["not_a_call", 5],
      ["not_a_call", { body: "a=1&b=2" }],
      ["delete_not_supported", { type: "delete", userId: "u9" }],
    ]);
  });

  it("keeps a batch that is far too long as one rejection", () => {
    const { records, rejections } = read(`[${"0,".repeat(10_000)}0]`);
    expect(records).toHaveLength(0);
    expect(rejections).toMatchObject([
      { reason: "batch_too_long", detail: "The batch has 10001 calls; 10000 are allowed." },
    ]);
  });

  it("refuses what is not JSON without repeating it", () => {
    for (const body of ["", "{", "secret=1&b=2", '{"a":1}x']) {
      expect(() => read(body)).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
      expect(() => read(body)).not.toThrow(/secret/);
    }
  });

  it("keeps a call that nests too deeply so that it can be written again", () => {
    const { records, rejections } = read(
      `[{"type":"track","messageId":"deep","userId":"u","event":"e","properties":{"a":${nested(50_000)}}}]`,
    );
    expect(records).toHaveLength(0);
    expect(rejections).toMatchObject([{ reason: "invalid_field", recordId: "deep" }]);
    expect(() => JSON.stringify(rejections)).not.toThrow();
  });

  it("lets no key reach a prototype", () => {
    const { records } = read(
      '{"type":"track","userId":"u","event":"e","__proto__":{"polluted":1},"properties":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
    );
    expect(records).toHaveLength(1);
    expect("polluted" in {}).toBe(false);
  });

  it("never throws anything but a PrickleError, and gives a record or rejection for each element", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((text) => `[${text}]`),
        ),
        (text) => {
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch {
            return codeOf(() => read(text)) === "INPUT_INVALID";
          }
          const { records, rejections } = read(text);
          return records.length + rejections.length === (Array.isArray(value) ? value.length : 1);
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        ["accepted", "INPUT_INVALID"].includes(codeOf(() => read(bytes))),
      ),
    );
  });
});

describe("the webhook door, by signature", () => {
  const check = (text: string, signature?: string) =>
    codeOf(() => signed(request({ body: text, headers: signature === undefined ? {} : { "x-signature": signature } })));

  it("knows the documented example", () => {
    const body = '{"type":"group","userId":"u1","groupId":"g1","traits":{"name":"Initech"}}';
    expect(sign("s3cr3t", body)).toBe("76ecfc38dfb0a0a9504a4571e191b01521998ff0");
    expect(check(body, "76ecfc38dfb0a0a9504a4571e191b01521998ff0")).toBe("accepted");
  });

  // Parsed and written again, this would be another text: keys reordered, 1.0 cut, the escape gone.
  const odd = '{"type":"group","2":1.0,"1":"\\u00fc \\"]},{[","userId":"u1","groupId":"g1","traits":{"a":[{}]}}';
  const other = JSON.stringify(trackCall());

  it.each([
    ["a single call: all of it", odd, odd],
    ["a batch: its first element", `[${odd},${other}]`, odd],
    ["a batch of one", `[${odd}]`, odd],
    ["a batch with white space", ` [\n ${odd} , ${other} ]`, odd],
    ["a batch: all of it", `[${odd},${other}]`, `[${odd},${other}]`],
    ["an extensible batch: the first json", `[{"json":${odd}},{"json":${other}}]`, odd],
    ["an extensible batch: the first element", `[{"json":${odd}},{"json":${other}}]`, `{"json":${odd}}`],
    ["a batch that begins with a scalar", `[5,${other}]`, "5"],
    ["a batch that begins with a string", `["a\\"]",${other}]`, '"a\\"]"'],
  ])("accepts the signature over %s", (_name, body, message) => {
    expect(check(body, sign("s3cr3t", message))).toBe("accepted");
    expect(check(body, sign("new", message))).toBe("accepted");
    expect(check(body, sign("old", message))).toBe("UNAUTHORIZED");
  });

  it("refuses a missing, malformed or foreign signature", () => {
    for (const signature of [undefined, "", "0".repeat(40), "zz", sign("s3cr3t", other), `${sign("s3cr3t", odd)}, x`]) {
      expect(check(`[${odd}]`, signature)).toBe("UNAUTHORIZED");
    }
  });

  it("refuses a second json key put beside the signed one", () => {
    const forged = JSON.stringify(groupCall({ groupId: "forged" }));
    for (const key of ['"json"', '"\\u006ason"']) {
      expect(check(`[{"json":${odd},${key}:${forged}}]`, sign("s3cr3t", odd))).toBe("UNAUTHORIZED");
    }
  });

  it("finds the first element of any batch exactly as it was written", () => {
    fc.assert(
      fc.property(
        fc.array(fc.json(), { minLength: 1, maxLength: 4 }),
        fc.constantFrom("", " ", "\n\t"),
        (elements, space) => {
          const body = `${space}[${space}${elements.join(`${space},${space}`)}${space}]`;
          const first = (elements[0] ?? "").trim();
          return check(body, sign("s3cr3t", first)) === "accepted";
        },
      ),
    );
  });
});

describe("the webhook door, by bearer", () => {
  const door = createWebhookDoor({ source: "main", secrets: ["s3cr3t"], bearer: "token-1" });
  const body = JSON.stringify(groupCall());
  const check = (headers: Record<string, string>) => codeOf(() => door(request({ body, headers })));

  it("asks for both when a bearer and a secret are set", () => {
    const signature = sign("s3cr3t", body);
    expect(check({ authorization: "Bearer token-1", "x-signature": signature })).toBe("accepted");
    expect(check({ authorization: "Bearer token-1" })).toBe("UNAUTHORIZED");
    expect(check({ authorization: "Bearer token-2", "x-signature": signature })).toBe("UNAUTHORIZED");
    expect(check({ authorization: "token-1", "x-signature": signature })).toBe("UNAUTHORIZED");
    expect(check({ "x-signature": signature })).toBe("UNAUTHORIZED");
  });
});
