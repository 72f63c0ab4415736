/** Traces a message or a record: what the journal says, joined with what the tables know now. */

import type {
  Trace,
  TracedDelivery,
  TracedOutput,
  TracedRecord,
  TracedState,
  TracedStep,
  TraceQuery,
} from "../../../core/trace.ts";
import type { Requests } from "../protocol.ts";
import type { Finding } from "./findings.ts";
import type { FoundOutput } from "./found-output.ts";
import { scanJournal } from "./scan.ts";
import type { MessageStanding, Standings, TracedMessage } from "./standings.ts";

/** Asks the ledger's thread. */
export type AskTrace = <Kind extends "traceFiles" | "traceStandings">(
  kind: Kind,
  asks: Requests[Kind]["asks"],
) => Promise<Requests[Kind]["gives"]>;

export async function trace(ask: AskTrace, query: TraceQuery): Promise<Trace> {
  const files = await ask("traceFiles", null);
  const { records, since, gaps } = await scanJournal(files ?? [], query);
  const outputs = records.flatMap((record) => record.outputs);
  const standings = await ask("traceStandings", {
    id: query.id,
    recordIds: records.flatMap(({ id }) => id ?? []),
    sources: [...new Set(records.map(({ source }) => source))],
    messages: outputs.flatMap(tracedMessage),
  });
  const known = new Set(outputs.map(({ uuid }) => uuid));
  return {
    records: records.map((record) => tracedRecord(record, standings)),
    rejections: standings.rejections,
    deadLetters: standings.deadLetters.filter(({ uuid }) => !known.has(uuid)).map(({ id }) => id),
    isSeen: standings.isSeen,
    memory: { isOn: files !== null, since, gaps },
  };
}

function tracedMessage({ uuid, lane, seq, only, replays }: FoundOutput): readonly TracedMessage[] {
  const own = [...replays].map(([destination, place]) => ({ destination, ...place }));
  const places = lane === null || seq === null ? own : [...own, { destination: only, lane, seq }];
  return places.length === 0 ? [] : [{ uuid, places }];
}

function tracedRecord({ outputs, ...record }: Finding, standings: Standings): TracedRecord {
  return { ...record, outputs: outputs.map((output) => tracedOutput(output, standings)) };
}

function tracedOutput(
  { steps, replays: _replays, only: _only, ...output }: FoundOutput,
  standings: Standings,
): TracedOutput {
  const standing = standings.messages.filter(({ uuid }) => uuid === output.uuid);
  const names = new Set([...standing.map(({ destination }) => destination), ...steps.keys()]);
  const deliveries = [...names].map((destination): TracedDelivery => {
    const letter = standings.deadLetters.find((one) => one.uuid === output.uuid && one.destination === destination);
    const own = steps.get(destination) ?? [];
    const now = standing.find((one) => one.destination === destination);
    return { destination, steps: own, state: stateOf(own, now, letter?.id) };
  });
  return { ...output, deliveries };
}

function stateOf(
  steps: readonly TracedStep[],
  standing: MessageStanding | undefined,
  deadLetter: number | undefined,
): TracedState {
  if (deadLetter !== undefined) return { kind: "dead", deadLetter };
  if (standing && standing.place !== null) {
    return { kind: "waiting", place: standing.place, notBefore: standing.notBefore };
  }
  const last = steps.at(-1);
  if (last?.kind === "delivered") return { kind: "delivered", at: last.at };
  if (last?.kind === "dropped" || last?.kind === "expired") return { kind: "forgotten", at: last.at };
  return { kind: "passed", at: standing?.passedAt ?? null };
}
