/** The part of `prickle check` about the slots of group types: what is wrong with them, and who uses which. */

import type { CheckedFile, Config, ConfigProblem } from "../config.ts";
import type { PlannedSlot } from "../connector/group-slots.ts";
import type { Colors } from "./invocation.ts";
import { cell, showTable } from "./show-table.ts";

/** A project that does not answer is a warning: prickle starts without it. */
export async function checkSlots(
  config: Config,
  { warningAt }: Pick<CheckedFile, "warningAt">,
): Promise<{ readonly slots: readonly PlannedSlot[]; readonly problems: readonly ConfigProblem[] }> {
  const { examineSlots } = await import("../connector/group-slots.ts");
  const { slots, problems, failures } = await examineSlots(config);
  const warnings = failures.map(({ destination, reason, hint }) =>
    warningAt({
      at: ["destinations", destination, "personalApiKey"],
      found: `the group types of the PostHog project are not known: ${reason}`,
      allowed: "",
      hint,
    }),
  );
  return { slots, problems: [...problems, ...warnings] };
}

export function showSlots(slots: readonly PlannedSlot[], paint: Colors): string {
  const projects = new Set(slots.map(({ destination }) => destination));
  const isOfProjects = !projects.has(null);
  const columns = [
    { name: "index", align: "right" as const },
    { name: "group type" },
    { name: "used by" },
    ...(isOfProjects ? [{ name: "in the project of" }] : []),
  ];
  const rows = slots.map(({ destination, index, groupType, usedBy }) => [
    String(index),
    cell(groupType),
    usedBy.join(", "),
    ...(destination === null ? [] : [destination]),
  ]);
  return showTable(columns, rows, paint);
}
