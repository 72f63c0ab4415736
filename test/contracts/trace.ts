/** What every ledger must remember of records and messages, so that one can be traced: src/core/trace.ts. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RulesBySource } from "../../src/core/attribution/rules.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Claim, Commit, CommitResult, Ledger, SettleOutcome } from "../../src/core/ledger.ts";
import { compileMapping } from "../../src/core/mapping/compile.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import type { Trace, TracedOutput } from "../../src/core/trace.ts";
import { createPrepare } from "../../src/pipeline/prepare.ts";
import { createManualClock, type ManualClock } from "../fakes/clock.ts";
import { callAt, commitOf, groupCall, trackCall } from "../ledger/attributing.ts";
import { LANES, rulesOfSources } from "../pipeline/attributed.ts";
import { rejectionOf } from "./ledger.ts";

export interface TracingLedger {
  /** Opens the same store again after `close`. */
  open(options: { readonly clock: ManualClock; readonly groupRules: RulesBySource }): Promise<Ledger>;
  remove(): Promise<void>;
}

const ALL = { service: "live", maxMessages: 1000, maxBytes: 1_000_000, leaseMs: 10_000 } as const;
const DELIVERED: SettleOutcome = { kind: "delivered" };
const RULES = rulesOfSources({ segment: {}, other: {}, crm: { unresolved: "park" } });

const CRM = `
groupTypes: [company]
rules:
  - name: company
    when: type = "company"
    groupIdentify:
      groupType: company
      groupKey: { "@path": $.groupId }
      aliases: [{ "@template": "domain:{{traits.domain}}" }]
      properties: { "@path": $.traits }
`;
const prepareCrm = createPrepare({
  mapping: compileMapping({ name: "crm", file: "crm.yaml", text: CRM }),
  lanes: LANES,
});

function crmCommit(records: readonly SourceRecord[]): Commit {
  return { source: "crm", ...prepareCrm({ records, rejections: [] }) };
}

export function describeTracing(name: string, create: () => Promise<TracingLedger>): void {
  describe(`${name}, asked what became of something,`, () => {
    let store: TracingLedger;
    let clock: ManualClock;
    let ledger: Ledger;

    beforeEach(async () => {
      store = await create();
      clock = createManualClock();
      ledger = await store.open({ clock, groupRules: RULES });
    });
    afterEach(async () => {
      await ledger.close();
      await store.remove();
    });

    const commit = (...records: readonly SourceRecord[]): Promise<CommitResult> => ledger.commit(commitOf(records));
    const trace = (id: string): Promise<Trace> => ledger.trace({ id });

    async function settle(outcome: SettleOutcome, destination = "posthog"): Promise<Claim> {
      const claim = await ledger.claim({ ...ALL, destination });
      if (!claim) throw new Error("nothing is due");
      await ledger.settle(
        claim.id,
        claim.messages.map(() => outcome),
      );
      return claim;
    }

    async function outputsOf(id: string): Promise<readonly TracedOutput[]> {
      return (await trace(id)).records.flatMap(({ outputs }) => outputs);
    }

    async function deliveriesOf(id: string, destination = "posthog") {
      const [output] = await outputsOf(id);
      return output?.deliveries.find((one) => one.destination === destination);
    }

    it("tells record, rule, message, every attempt and every answer, by the record's id and by the uuid", async () => {
      const committedAt = clock.now();
      await commit(trackCall(7, "ada"), trackCall(8, "bob"));
      await clock.advance(1_000);
      const dueAt = clock.now() + 60_000;
      await settle({ kind: "retry", reason: "answered 503", dueAt });
      await clock.advance(60_000);
      await settle(DELIVERED);
      const found = await trace("m7");
      expect(found).toMatchObject({ rejections: [], deadLetters: [], memory: { isOn: true, gaps: [] } });
      expect(found.records).toMatchObject([
        {
          ...{ source: "segment", id: "m7", rule: "track", occurredAt: 7_000, receivedAt: 7_000, committedAt },
          repeatedAt: [],
          outputs: [{ became: "sent", event: "Seen", distinctId: "ada", group: null, gained: {} }],
        },
      ]);
      const [output] = await outputsOf("m7");
      expect(output?.deliveries).toEqual([
        {
          destination: "posthog",
          steps: [
            { kind: "retry", at: committedAt + 1_000, attempt: 1, answer: "answered 503", dueAt },
            { kind: "delivered", at: committedAt + 61_000, attempt: 2, answer: "" },
          ],
          state: { kind: "delivered", at: committedAt + 61_000 },
        },
        { destination: "engine", steps: [], state: { kind: "waiting", place: expect.any(Number), notBefore: null } },
      ]);
      expect(await trace(output?.uuid ?? "")).toEqual({ ...found, isSeen: true });
    });

    it("tells what a destination said of what it took, and of what was held back that it was no attempt", async () => {
      await commit(trackCall(7, "ada"));
      const dueAt = clock.now() + 5_000;
      await settle({ kind: "retry", reason: "paused", dueAt, isUntried: true });
      await clock.advance(5_000);
      await settle({ kind: "delivered", note: "took it with a warning" });
      expect((await deliveriesOf("m7"))?.steps).toEqual([
        { kind: "held", at: dueAt - 5_000, answer: "paused", dueAt },
        { kind: "delivered", at: dueAt, attempt: 1, answer: "took it with a warning" },
      ]);
    });

    it("follows a record that waits for an alias until another one tells it", async () => {
      const crm = (at: number, traits: object, groupId?: string) => {
        const call = { type: "company", traits, ...(groupId === undefined ? {} : { groupId }) };
        return callAt(at, call as JsonObject, "crm");
      };
      await ledger.commit(crmCommit([crm(1, { domain: "acme.com", seats: 3 })]));
      expect(await outputsOf("m1")).toMatchObject([{ became: "parked", group: { groupKey: null } }]);
      await clock.advance(1_000);
      await ledger.commit(crmCommit([crm(2, { domain: "acme.com", plan: "pro" }, "acme")]));
      const madeAt = clock.now();
      const group = { groupType: "company", groupKey: "acme" };
      expect(await outputsOf("m1")).toMatchObject([
        { became: "parked" },
        { became: "sent", event: "$groupidentify", group, madeAt, deliveries: [{ state: { kind: "waiting" } }, {}] },
      ]);
      expect(await outputsOf("m2")).toMatchObject([{ became: "sent", group, madeAt }]);
      const [{ uuid = "" } = {}] = await outputsOf("m1");
      expect((await trace(uuid)).records.map(({ id }) => id)).toEqual(["m1"]);
    });

    it("remembers over a restart", async () => {
      await commit(trackCall(7, "ada"));
      await settle(DELIVERED);
      const before = await trace("m7");
      await ledger.close();
      ledger = await store.open({ clock, groupRules: RULES });
      expect(await trace("m7")).toEqual(before);
      await settle(DELIVERED, "engine");
      expect(await deliveriesOf("m7", "engine")).toMatchObject({ state: { kind: "delivered" } });
    });

    it("tells at what place of its lane a message waits, and until when the lane does", async () => {
      await commit(trackCall(1, "ada"), trackCall(2, "ada"), trackCall(3, "ada"));
      expect(await deliveriesOf("m3")).toMatchObject({ state: { kind: "waiting", place: 3, notBefore: null } });
      const dueAt = clock.now() + 1_000;
      const { id } = (await ledger.claim({ ...ALL, destination: "posthog" })) ?? { id: 0 };
      await ledger.settle(id, [DELIVERED, { kind: "retry", reason: "busy", dueAt }, DELIVERED]);
      await commit(trackCall(4, "ada"));
      expect(await deliveriesOf("m4")).toMatchObject({ state: { kind: "waiting", place: 2, notBefore: dueAt } });
      expect(await deliveriesOf("m3")).toMatchObject({ state: { kind: "delivered" } });
    });

    it("tells which groups an event gained, and of a group identify that it said nothing new", async () => {
      await commit(groupCall(1, "ada", "acme", { plan: "pro" }));
      await commit(groupCall(2, "ada", "acme", { plan: "pro" }), trackCall(3, "ada"));
      const group = { groupType: "company", groupKey: "acme" };
      expect(await outputsOf("m1")).toMatchObject([{ became: "sent", event: "$groupidentify", group }]);
      expect(await outputsOf("m2")).toMatchObject([{ became: "saved", event: null, group, deliveries: [] }]);
      expect(await outputsOf("m3")).toMatchObject([{ event: "Seen", gained: { company: "acme" } }]);
    });

    it("tells when a record came again, and of each source that has one of the id", async () => {
      await commit(trackCall(7, "ada"));
      await commit(trackCall(7, "ada", {}), callAt(7, { type: "track", event: "Else", userId: "eve" }));
      await clock.advance(5);
      await commit(trackCall(6, "bob"), trackCall(7, "ada"));
      await ledger.commit(commitOf([callAt(7, { type: "track", event: "Other", userId: "eve" }, "other")]));
      const { records } = await trace("m7");
      expect(records.map(({ source, repeatedAt }) => [source, repeatedAt])).toEqual([
        ["segment", [clock.now() - 5, clock.now() - 5, clock.now()]],
        ["other", []],
      ]);
      const [uuid] = records.flatMap(({ outputs }) => outputs.map((output) => output.uuid));
      expect((await trace(uuid ?? "")).records.map(({ source }) => source)).toEqual(["segment"]);
    });

    it("tells of a record that made no message, and of one that was refused", async () => {
      await commit(callAt(1, { type: "track", event: "Seen" }));
      await ledger.commit({ source: "segment", parcels: [], rejections: [rejectionOf("m2")] });
      const nobodys = { records: [{ id: "m1", rule: "track", outputs: [] }], rejections: [{ reason: "missing_user" }] };
      expect(await trace("m1")).toMatchObject(nobodys);
      expect(await trace("m2")).toMatchObject({
        records: [],
        rejections: [{ recordId: "m2", reason: "missing_user" }],
      });
    });

    it("follows a dead letter until it is put back, dropped, or delivered at last", async () => {
      await commit(trackCall(1, "ada"), trackCall(2, "bob"));
      await settle({ kind: "dead", reason: "answered 400" });
      const letters = await ledger.listDeadLetters({});
      const letterOf = async (id: string) => {
        const [output] = await outputsOf(id);
        return letters.find(({ uuid }) => uuid === output?.uuid)?.id ?? 0;
      };
      const [first, second] = [await letterOf("m1"), await letterOf("m2")];
      const died = { kind: "dead", at: clock.now(), attempt: 1, answer: "answered 400" };
      expect(await deliveriesOf("m1")).toMatchObject({ steps: [died], state: { kind: "dead", deadLetter: first } });
      await ledger.replayDeadLetters({ ids: [first] });
      await ledger.dropDeadLetters({ ids: [second] });
      expect(await deliveriesOf("m1")).toMatchObject({ state: { kind: "waiting", place: 1 } });
      expect(await deliveriesOf("m2")).toMatchObject({
        steps: [died, { kind: "dropped" }],
        state: { kind: "forgotten" },
      });
      await settle(DELIVERED);
      const put = { kind: "replayed", at: clock.now(), isEdited: false };
      const delivered = { kind: "delivered", at: clock.now(), attempt: 1, answer: "" };
      expect((await deliveriesOf("m1"))?.steps).toEqual([died, put, delivered]);
      expect(await deliveriesOf("m1", "engine")).toMatchObject({ steps: [], state: { kind: "waiting" } });
    });

    it("says what a dead letter is since it was put back with another text, at the destination it is for", async () => {
      await commit(trackCall(1, "ada"));
      await settle({ kind: "dead", reason: "answered 400" });
      const [letter] = await ledger.listDeadLetters({});
      const { event, distinct_id, ...rest } = JSON.parse(letter?.body ?? "{}");
      const body = JSON.stringify({ event: "Mended", distinct_id: "bob", ...rest });
      await ledger.replayEdited({ id: letter?.id ?? 0, body });
      const [output] = await outputsOf("m1");
      expect(output).toMatchObject({ event, distinctId: distinct_id });
      const put = { kind: "replayed", at: clock.now(), isEdited: true, event: "Mended", distinctId: "bob" };
      expect((await deliveriesOf("m1"))?.steps.slice(1)).toEqual([put]);
      expect(await deliveriesOf("m1", "engine")).toMatchObject({ steps: [] });
    });

    it("knows nothing of what it never saw", async () => {
      await commit(trackCall(1, "ada"));
      expect(await trace("m2")).toMatchObject({ records: [], rejections: [], deadLetters: [], isSeen: false });
      expect(await trace("00000000-0000-7000-8000-000000000000")).toMatchObject({ records: [], isSeen: false });
    });
  });
}
