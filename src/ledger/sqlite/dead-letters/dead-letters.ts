/** Messages given up, with what became of them. */

import type { DatabaseSync } from "node:sqlite";
import type { DeadLetter, EditedDeadLetter } from "../../../core/dead-letter.ts";
import { type EditProblem, editedMessage } from "../../../core/edited-message.ts";
import { groupPropertiesIn } from "../../../core/message.ts";
import { firstLaneOf, serviceOfLane } from "../../../core/service.ts";
import { frameOf } from "../frames.ts";
import type { StoredKnowledge } from "../knowledge/knowledge.ts";
import type { Outbox } from "../outbox.ts";
import type { Positions } from "../positions.ts";
import type { DeadLetterRequest, DeadLetterSlice } from "../protocol.ts";
import type { Journal } from "../trace/journal.ts";
import { type Forgotten, type MessageSubject, writeForget, writeReplay } from "../trace/settle-entry.ts";
import { createChoosing } from "./choosing.ts";

export interface DeadLetters {
  add(letter: Omit<DeadLetter, "id" | "body"> & { readonly body: Uint8Array }): void;
  /** How many the next slice has, by id; so are those below. */
  slice(request: DeadLetterRequest): DeadLetterSlice;
  list(request: DeadLetterRequest): DeadLetterSlice & { readonly letters: readonly DeadLetter[] };
  /** Of destinations the ledger feeds. */
  replay(request: DeadLetterRequest, now: number): DeadLetterSlice;
  forget(request: DeadLetterRequest, why: Forgotten, now: number): DeadLetterSlice;
  /** Puts one back with another text. Null: it was; else nothing was done. */
  replayEdited(letter: EditedDeadLetter, now: number): EditProblem | null;
  /** One that went back into the outbox. */
  remove(id: number): void;
  count(destination: string): number;
  withUuid(uuid: string): readonly Pick<DeadLetter, "id" | "uuid" | "destination">[];
}

export interface DeadLetterParts {
  readonly outbox: Outbox;
  readonly positions: Positions;
  readonly journal: Journal;
  readonly knowledge: Pick<StoredKnowledge, "apply" | "takeChanges">;
  readonly groupTypes: readonly string[];
  /** Gives the text with which a message is sent again. */
  readonly refresh: (json: string) => string;
}

const LIST = "`prickle dead list` has them.";
const NO_IDS = new Uint8Array(0);

export function createDeadLetters(
  database: DatabaseSync,
  { outbox, positions, journal, knowledge, groupTypes, refresh }: DeadLetterParts,
): DeadLetters {
  const insert = database.prepare(
    `INSERT INTO dead_letters (destination, uuid, lane, reason, attempts, first_attempt_at, died_at, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const countOf = database.prepare("SELECT count(*) AS letters FROM dead_letters WHERE destination = ?");
  const withUuid = database.prepare("SELECT id, uuid, destination FROM dead_letters WHERE uuid = ? ORDER BY id");
  const byId = database.prepare("SELECT * FROM dead_letters WHERE id = ?");
  const remove = database.prepare("DELETE FROM dead_letters WHERE id = ?");
  const choosing = createChoosing(database);
  const letterWith = (id: number) => byId.all(id).map(letterOf);

  function putBack({ id, destination, uuid }: DeadLetter, { json, lane, subject }: PutBack, now: number): void {
    const bytes = frameOf(uuid, Buffer.from(json));
    const seq = positions.nextSeq(lane);
    const run = { lane, count: 1, bytes: bytes.length, firstSeq: seq, committedAt: now };
    const said = groupPropertiesIn(json);
    if (said) knowledge.apply({ kind: "resent", ...said, destination, seq });
    const notes = { only: destination, replayed: [id], changes: knowledge.takeChanges() };
    outbox.add({ runs: [run], ids: NO_IDS, notes }, { bytes, ranges: [0, bytes.length] });
    positions.appended({ ...run, onlyDestination: destination });
    remove.run(id);
    journal.add("replay", now, (out) => writeReplay({ destination, uuid, lane, seq, subject }, out));
  }

  return {
    add: ({ destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body }) => {
      insert.run(destination, uuid, lane, reason, attempts, firstAttemptAt, diedAt, body);
    },
    slice(request) {
      const { chosen, ...slice } = choosing.next(request);
      return slice;
    },
    list(request) {
      const { chosen, ...slice } = choosing.next(request);
      return { ...slice, letters: chosen.flatMap(({ id }) => letterWith(id)) };
    },
    replay(request, now) {
      const { chosen, ...slice } = choosing.next(request, positions.destinations);
      for (const letter of chosen.flatMap(({ id }) => letterWith(id))) {
        putBack(letter, { json: refresh(letter.body), lane: letter.lane, subject: null }, now);
      }
      return slice;
    },
    forget(request, why, now) {
      const { chosen, ...slice } = choosing.next(request);
      for (const { id, destination, uuid } of chosen) {
        remove.run(id);
        journal.add("forget", now, (out) => writeForget({ destination, uuid, why }, out));
      }
      return slice;
    },
    replayEdited({ id, body }, now) {
      const [letter] = letterWith(id);
      if (!letter) return { code: "NOT_FOUND", detail: `There is no dead letter ${id}.`, hint: LIST };
      const { lanes, destinations } = positions;
      if (!destinations.includes(letter.destination)) {
        return { code: "NOT_FOUND", detail: `No destination is named ${letter.destination} any more.` };
      }
      const edited = editedMessage(letter.body, body, { lanes, groupTypes, refresh });
      if ("code" in edited) return edited;
      const lane = firstLaneOf(serviceOfLane(letter.lane, lanes), lanes) + edited.lane;
      putBack(letter, { json: edited.json, lane, subject: subjectOf(edited.json) }, now);
      return null;
    },
    remove: (id) => void remove.run(id),
    count: (destination) => Number(countOf.get(destination)?.letters ?? 0),
    withUuid: (uuid) =>
      withUuid.all(uuid).map((row) => ({
        id: Number(row.id),
        uuid: String(row.uuid),
        destination: String(row.destination),
      })),
  };
}

interface PutBack {
  readonly json: string;
  readonly lane: number;
  /** Of a text that was changed. */
  readonly subject: MessageSubject | null;
}

function subjectOf(json: string): MessageSubject {
  const { event, distinct_id: distinctId } = JSON.parse(json);
  return { event, distinctId };
}

function letterOf(row: Record<string, unknown>): DeadLetter {
  const { body } = row;
  return {
    id: Number(row.id),
    destination: String(row.destination),
    uuid: String(row.uuid),
    lane: Number(row.lane),
    reason: String(row.reason),
    attempts: Number(row.attempts),
    firstAttemptAt: Number(row.first_attempt_at),
    diedAt: Number(row.died_at),
    body: body instanceof Uint8Array ? Buffer.from(body).toString() : "",
  };
}
