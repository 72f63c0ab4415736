/** `prickle preview`: what a mapping would make of calls, without sending anything. */

import { Command, Option } from "commander";
import {
  openPreviewInput,
  PREVIEW_INPUT_KINDS,
  type PreviewInputKind,
  type PreviewItem,
} from "../connector/preview-input.ts";
import { summarizePreview } from "../connector/preview-summary.ts";
import { compileMapping } from "../core/mapping/compile.ts";
import { outcomeOf } from "../core/mapping/outcome.ts";
import type { MessageDraft } from "../core/message.ts";
import { createPreviewer, type Preview } from "../core/preview.ts";
import { type Colors, colorsFor, invocationOf, price, wholeNumber } from "./invocation.ts";
import { chooseMapping } from "./mapping-choice.ts";
import { costOf, showPreviewSummary } from "./show-rehearsal.ts";
import { cell } from "./show-table.ts";

interface PreviewOptions {
  readonly mapping?: string;
  readonly input: string;
  readonly as: PreviewInputKind;
  readonly summary?: boolean;
  readonly limit?: number;
  readonly price?: number;
}

export function previewCommand(): Command {
  return new Command("preview")
    .summary("what a mapping would make of calls; nothing is sent")
    .description(
      "Reads calls from a file and shows for each which rule wants it and which messages it makes, or why it makes none.\n" +
        "Nothing is opened, stored or sent. With --summary it adds up what the whole file would come to, and what that costs.",
    )
    .requiredOption("--input <file>", "one call, a list of calls, or JSON lines, plain or gzip; - for standard input")
    .option("--mapping <name>", "a shipped mapping or a path (default: that of the only source)")
    .addOption(
      new Option("--as <kind>", "calls of Segment, or records as they stand")
        .choices(PREVIEW_INPUT_KINDS)
        .default("calls"),
    )
    .option("--summary", "add up, instead of showing each")
    .option("--limit <n>", "read at most this many", wholeNumber(1))
    .option("--price <amount>", "what one event costs you: the summary says what it comes to", price)
    .addHelpText(
      "after",
      "\nExamples:\n  $ prickle preview --input call.json\n  $ prickle preview --mapping ./mappings/own.yaml --input calls.jsonl.gz --limit 20\n" +
        "  $ prickle preview --mapping ./mappings/own.yaml --input calls.jsonl.gz --summary\n" +
        "  $ prickle preview --mapping hubspot --as records --input companies.jsonl\n" +
        "  $ pbpaste | prickle preview --input - --json | jq .messages",
    )
    .action(async (_options, command: Command) => {
      const { options, configOptions, json, answer } = invocationOf<PreviewOptions>(command);
      const mapping = compileMapping(chooseMapping(options.mapping, configOptions));
      if (mapping.groupReads.length > 0) process.stderr.write(NO_GROUPS);
      const paint = colorsFor(process.stdout);
      await using input = await openPreviewInput(inputOf(options));
      const items = () => limited(input.read(), options.limit ?? Number.POSITIVE_INFINITY);
      if (options.summary) {
        const summary = await summarizePreview(mapping, () => outcomesOf(items()), Date.now());
        const cost = costOf(summary, options.price);
        answer({ ...summary, cost }, () => showPreviewSummary(summary, cost, paint));
        return;
      }
      const preview = createPreviewer(mapping);
      for await (const { place, outcome } of items()) {
        const previewed = preview(outcome);
        const line = json ? JSON.stringify(asJson(place, previewed)) : showPreview(place, previewed, paint);
        process.stdout.write(`${line}\n`);
      }
    });
}

async function* limited(items: AsyncIterable<PreviewItem>, most: number): AsyncGenerator<PreviewItem> {
  let left = most;
  if (left <= 0) return;
  for await (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}

async function* outcomesOf(items: AsyncIterable<PreviewItem>): AsyncGenerator<PreviewItem["outcome"]> {
  for await (const { outcome } of items) yield outcome;
}

const NO_GROUPS = "note: this mapping asks for known groups; in a preview none is known.\n";

function inputOf({ input, as }: PreviewOptions) {
  return { from: input === "-" ? process.stdin : input, as, source: "preview", receivedAt: Date.now() };
}

function asJson(place: number, { rule, drafts, statements, problems }: Preview) {
  return {
    place,
    rule,
    ...outcomeOf({ drafts, statements, problems }),
    problems: problems.map(({ reason, detail }) => ({ reason, detail })),
  };
}

function showPreview(place: number, { rule, drafts, problems }: Preview, paint: Colors): string {
  const head = `${paint.dim(`${place}`.padStart(6))}  ${rule === null ? paint.dim("no rule") : paint.bold(rule)}`;
  const messages = drafts.map((draft) => `        ${paint.green("→")} ${showDraft(draft, paint)}`);
  const refused = problems.map(({ reason, detail }) => `        ${paint.yellow("✗")} ${reason}: ${cell(detail, 200)}`);
  return [head, ...messages, ...refused].join("\n");
}

function showDraft(draft: MessageDraft, paint: Colors): string {
  const properties = paint.dim(cell(draft.properties, Number.POSITIVE_INFINITY));
  if (draft.kind === "groupIdentify") {
    const key = draft.groupKey === null ? paint.yellow("waits for an alias") : paint.bold(cell(draft.groupKey));
    const aliases = draft.keys?.aliases ?? [];
    const knownAs = aliases.length > 0 ? `  known as ${aliases.map((alias) => cell(alias)).join(", ")}` : "";
    return `group identify  ${draft.groupType} ${key}${knownAs}  ${properties}`;
  }
  const groups = Object.entries(draft.groups).map(([type, key]) => `${type} ${cell(key)}`);
  const where = groups.length > 0 ? `  in ${groups.join(", ")}` : "";
  return `event ${paint.bold(cell(draft.event))}  by ${cell(draft.distinctId)}${where}  ${properties}`;
}
