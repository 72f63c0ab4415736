/** An answer by protocol v1 that says ok of all is known without being parsed: exactly when parsing it would say so. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { readText } from "../../src/destinations/posthog/message-text.ts";
import { readResult, readV1Answer } from "../../src/destinations/posthog/v1-answer.ts";
import { outboxMessages, uuidIn } from "../fakes/outbox.ts";

const MESSAGES = outboxMessages(4);
const TEXTS = MESSAGES.flatMap(({ body }) => readText(body) ?? []);
const UUIDS = MESSAGES.map(uuidIn);
const ALL_OK = JSON.stringify({ results: Object.fromEntries(UUIDS.map((uuid) => [uuid, { result: "ok" }])) });

const QUESTION = { messages: TEXTS, requestId: "id-1" };
const read = (body: string) => readV1Answer({ status: 200, headers: {}, body }, QUESTION, 0);

it("takes all as delivered when all are ok, in the order of the batch", () => {
  expect(read(ALL_OK)).toEqual({ kind: "delivered" });
});

it("reads one by one whatever else is said", () => {
  const result = fc.oneof(
    fc.constantFrom(
      { result: "ok" },
      { result: "retry" },
      { result: "drop", details: "event_too_big" },
      { result: "" },
    ),
    fc.constantFrom(null, "ok", [], {}, { result: "ok", details: "" }, { result: 1 }),
  );
  const results = fc
    .shuffledSubarray([...UUIDS, "another"])
    .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), result))));
  fc.assert(
    fc.property(results, (entries) => {
      const said = Object.fromEntries(entries);
      const answer = read(JSON.stringify({ results: said }));
      const outcomes = TEXTS.map((text, place) => readResult(said[UUIDS[place] ?? ""], text));
      if (answer.kind === "delivered") expect(outcomes).toEqual(outcomes.map(() => ({ kind: "delivered" })));
      else expect(answer).toMatchObject({ kind: "results", results: said });
    }),
  );
});

it("is not deceived by an answer that was cut short, lengthened or changed in one place", () => {
  fc.assert(
    fc.property(fc.nat(ALL_OK.length - 1), fc.constantFrom("", " ", "x", '"', "}", "\u00e9"), (at, instead) => {
      const changed = ALL_OK.slice(0, at) + instead + ALL_OK.slice(at + 1);
      fc.pre(changed !== ALL_OK);
      expect(read(changed).kind).not.toBe("delivered");
    }),
  );
  expect(read(`${ALL_OK.slice(0, -2)},"x":{"result":"ok"}}}`).kind).toBe("results");
  expect(read(ALL_OK.replace(UUIDS[1] ?? "", UUIDS[2] ?? "")).kind).not.toBe("delivered");
});

it("takes an object without results for an answer that leaves out all, if it has the id of the request", () => {
  const answered = (body: string, headers: Readonly<Record<string, string>>, status = 200) =>
    readV1Answer({ status, headers, body }, QUESTION, 0);
  const echo = { "posthog-request-id": "id-1" };
  expect(answered("{}", echo)).toEqual({ kind: "results", results: {}, retryAfterMs: null });
  for (const body of ["{}", '{"status":"ok"}', '{"status":1}', '{"message":"Hello"}']) {
    expect(answered(body, {})).toMatchObject({ kind: "absent" });
    expect(answered(body, { "posthog-request-id": "id-2" })).toMatchObject({ kind: "absent" });
  }
  for (const body of ["<html>", "", "[]", "null", '{"results":[]}', '{"results":null}', '{"results":"ok"}', "{"]) {
    expect(answered(body, echo)).toMatchObject({ kind: "absent" });
  }
  expect(answered('{"error":"rejected"}', echo).kind).not.toBe("results");
  expect(answered("{}", echo, 400)).toMatchObject({ kind: "absent" });
});
