/** `prickle trace`: a record or a message, from what its sender said to what each destination answered. */

import { Command } from "commander";
import { PrickleError } from "../core/errors.ts";
import { MOST_ID_CHARACTERS, type Trace } from "../core/trace.ts";
import { invocationOf } from "./invocation.ts";
import { withOperations } from "./operations.ts";
import { time } from "./show-table.ts";
import { gapsOf, showTrace } from "./show-trace.ts";

export function traceCommand(): Command {
  return new Command("trace")
    .argument("<id>", "the uuid of a message, or the id of a record (Segment: messageId)")
    .summary("what became of one message or record, attempt by attempt")
    .description(
      "Shows the record, the rule that took it, the messages it made, every attempt to deliver them and what was answered,\n" +
        "as far back as ledger.traceDays and ledger.traceBytes allow.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle trace 019c1f2e-4a00-7f3c-9d1e-8b1f0c2a7e55\n" +
        "  $ prickle trace node-next-1769990400000-f0c2 --json | jq '.records[].outputs'",
    )
    .action(async (id: string, _options, command: Command) => {
      const { configOptions, answer } = invocationOf(command);
      if (id === "" || id.length > MOST_ID_CHARACTERS) throw noId(id);
      const trace = await withOperations(configOptions, {}, (operations) => operations.trace({ id }));
      const { records, rejections, deadLetters } = trace;
      if (records.length + rejections.length + deadLetters.length === 0) throw unknown(id, trace);
      answer(trace, (paint) => showTrace(trace, paint));
    });
}

function noId(id: string): PrickleError {
  const found = id === "" ? "found none" : `found ${id.length}`;
  return new PrickleError("USAGE", `An id has 1 to ${MOST_ID_CHARACTERS} characters; ${found}.`, {
    hint: "It is the uuid of a message, or the id of a record (Segment: messageId).",
  });
}

function unknown(id: string, { isSeen, memory }: Trace): PrickleError {
  const { isOn, since, gaps } = memory;
  const message = isSeen
    ? `A record whose first message is ${id} was taken, but no more is remembered of it.`
    : `Nothing is remembered of ${JSON.stringify(id)}.`;
  if (!isOn) {
    return new PrickleError("NOT_FOUND", message, {
      hint: "Tracing is off (ledger.traceBytes: 0); what came while it is off cannot be traced.",
    });
  }
  const known = since === null ? "Nothing is remembered yet" : `What happened since ${time(since)} is remembered`;
  const kept = `${known} (ledger.traceDays, ledger.traceBytes).`;
  const hint = [kept, ...gapsOf(gaps), "Ids are compared letter by letter; a uuid is that of a message."].join(" ");
  return new PrickleError("NOT_FOUND", message, { hint });
}
