/** What `prickle verify` found, for people. */

import {
  type DifferingGroup,
  type Finding,
  LEFT_OUT,
  type VerifiedType,
  type VerifyReport,
} from "../core/verification.ts";
import type { Colors } from "./invocation.ts";
import { cell, count, showTable, span } from "./show-table.ts";

export interface Showing {
  /** Of an event; null: it is not said what a repair costs. */
  readonly price: number | null;
  readonly paint: Colors;
}

export function showVerification(report: VerifyReport, { price, paint }: Showing): string {
  const { destination, groupTypes, unfinished, tookMs } = report;
  const parts = [`${paint.bold(destination)} ${paint.dim(`compared in ${span(tookMs)}`)}`];
  if (groupTypes.length > 0) parts.push(showTypes(groupTypes, paint));
  else if (unfinished === null) parts.push("No source told of a group yet.");
  for (const type of groupTypes) parts.push(...showExamples(type, paint));
  if (unfinished !== null) parts.push(paint.red(`Not all was compared: ${unfinished}.`));
  parts.push(verdict(report, price, paint));
  return parts.join("\n\n");
}

function showTypes(types: readonly VerifiedType[], paint: Colors): string {
  const right = ["known", "shown", "same", "missing", "differing", ...LEFT_OUT, "unknown"];
  const columns = [{ name: "group type" }, ...right.map((name) => ({ name, align: "right" as const }))];
  const rows = types.map(({ groupType, known, shown, same, missing, differing, unknown, leftOut }) => [
    groupType,
    ...[known, shown, same, missing.count, differing.count].map(count),
    ...LEFT_OUT.map((reason) => count(leftOut[reason])),
    count(unknown.count),
  ]);
  return showTable(columns, rows, paint);
}

function showExamples({ groupType, index, missing, differing, unknown }: VerifiedType, paint: Colors): string[] {
  const titled = (title: string, finding: Finding<unknown>, lines: readonly string[]) =>
    lines.length === 0 ? [] : [[paint.yellow(title), ...lines, ...more(finding, paint)].join("\n")];
  const keys = ({ examples }: Finding<string>) => examples.map((key) => `  ${cell(key)}`);
  return [
    ...titled(`${groupType}: missing${index === null ? ", as the whole type is" : ""}`, missing, keys(missing)),
    ...titled(
      `${groupType}: different`,
      differing,
      differing.examples.flatMap((one) => showDiffering(one, paint)),
    ),
    ...titled(`${groupType}: known to no source, and left alone`, unknown, keys(unknown)),
  ];
}

function showDiffering({ groupKey, properties }: DifferingGroup, paint: Colors): readonly string[] {
  return properties.map(({ name, ...values }) => {
    const expected = "expected" in values ? JSON.stringify(values.expected) : "gone";
    const shown = "shown" in values ? JSON.stringify(values.shown) : "nothing";
    return `  ${cell(groupKey)} ${paint.dim(cell(name))} is ${cell(shown)}, should be ${cell(expected)}`;
  });
}

function more({ count: all, examples }: Finding<unknown>, paint: Colors): readonly string[] {
  return all > examples.length ? [paint.dim(`  and ${count(all - examples.length)} more`)] : [];
}

function verdict(report: VerifyReport, price: number | null, paint: Colors): string {
  const { groupTypes, differences, identifies, removals, queued, unfinished } = report;
  const left = groupTypes.reduce((sum, { leftOut }) => sum + LEFT_OUT.reduce((all, one) => all + leftOut[one], 0), 0);
  const later = left > 0 ? ` ${count(left)} could not be compared yet.` : "";
  if (differences === 0) return unfinished === null ? paint.green(`No group is missing, none differs.${later}`) : later;
  const cost = price === null ? "" : `, at ${price} each ${Number((identifies * price).toPrecision(6))}`;
  const messages = `${count(identifies)} group identifies${cost}, and ${count(removals)} removals of properties`;
  const found = `${count(differences)} groups are missing or differ.${later}`;
  return queued
    ? `${found} Queued: ${messages}; \`prickle serve\` delivers them.`
    : `${found} \`prickle verify --repair\` would queue ${messages}.`;
}
