/** The outputs of a rule compiled: from what its values give to a message draft, or to the problem with it. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { MessageDraft, MessageProblem } from "../message.ts";
import type { RejectionReason } from "../record.ts";
import type { Run } from "./run.ts";
import { describe, type Expression } from "./scope.ts";

/** Adds what it makes of the data to the drafts and problems. */
export type Output = (data: JsonValue | undefined, run: Run, made: Made) => void;

export interface Made {
  readonly drafts: MessageDraft[];
  readonly problems: MessageProblem[];
}

export interface OutputContext {
  readonly rule: string;
  readonly groupTypes: ReadonlySet<string>;
}

export interface GroupIdentifyParts {
  readonly groupType: Expression;
  readonly groupKey: Expression;
  readonly properties: Expression;
}

export function groupIdentifyOutput(read: GroupIdentifyParts, { rule, groupTypes }: OutputContext): Output {
  return (data, run, { drafts, problems }) => {
    const type = readText(read.groupType(data, run), `${rule}: groupType`, "undeclared_group_type");
    const key = readText(read.groupKey(data, run), `${rule}: groupKey`, "missing_group_id");
    const properties = read.properties(data, run);
    if (run.refusal) return void problems.push(run.refusal);
    if (typeof type !== "string") return void problems.push(type);
    if (!groupTypes.has(type)) return void problems.push(undeclared(type, groupTypes));
    if (typeof key !== "string") return void problems.push(key);
    const found = bagOf(properties, `${rule}: properties`, problems);
    if (found) drafts.push({ kind: "groupIdentify", groupType: type, groupKey: key, properties: found });
  };
}

export interface EventParts {
  readonly name: Expression;
  readonly distinctId: Expression;
  readonly properties: Expression;
  readonly groups: Expression;
}

export function eventOutput(read: EventParts, { rule, groupTypes }: OutputContext): Output {
  return (data, run, { drafts, problems }) => {
    const event = readText(read.name(data, run), `${rule}: name`, "missing_event");
    const person = readText(read.distinctId(data, run), `${rule}: distinctId`, "missing_user");
    const properties = read.properties(data, run);
    const groups = read.groups(data, run);
    if (run.refusal) return void problems.push(run.refusal);
    if (typeof event !== "string") return void problems.push(event);
    if (typeof person !== "string") return void problems.push(person);
    const bag = bagOf(properties, `${rule}: properties`, problems);
    if (!bag) return;
    // Whoever builds the message adds to it.
    const found = { ...bag };
    // The groups are said in one place only: what came under this name went through `groups`, or is not meant.
    if (found.$groups !== undefined) delete found.$groups;
    drafts.push({
      kind: "event",
      event,
      distinctId: person,
      properties: found,
      groups: groupsOf(groups, groupTypes, problems),
    });
  };
}

/** An id or a name as text: numbers become text, nothing is missing, the rest is refused. */
function readText(value: JsonValue | undefined, where: string, missing: RejectionReason): string | MessageProblem {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number") return String(value);
  if (value === undefined || value === null || value === "") {
    return { reason: missing, detail: `${where}: found ${describe(value)}; a text is needed.` };
  }
  return { reason: "invalid_field", detail: `${where}: found ${describe(value)}; a text or a number is allowed.` };
}

/** Null, with a problem noted, if it is no object. */
function bagOf(value: JsonValue | undefined, where: string, problems: MessageProblem[]): JsonObject | null {
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  problems.push({ reason: "invalid_field", detail: `${where}: found ${describe(value)}; an object is allowed.` });
  return null;
}

/** Those that can be used; the event goes out without the others. */
function groupsOf(
  value: JsonValue | undefined,
  groupTypes: ReadonlySet<string>,
  problems: MessageProblem[],
): Readonly<Record<string, string>> {
  const groups: Record<string, string> = {};
  if (value === undefined || value === null) return groups;
  if (!isJsonObject(value)) {
    problems.push({ reason: "invalid_field", detail: `groups: found ${describe(value)}; an object is allowed.` });
    return groups;
  }
  for (const [type, key] of Object.entries(value)) {
    if (key === null || key === "") continue;
    if (!groupTypes.has(type)) problems.push(undeclared(type, groupTypes));
    else if (typeof key === "string") groups[type] = key;
    else if (typeof key === "number") groups[type] = String(key);
    else
      problems.push({
        reason: "invalid_group_key",
        detail: `groups.${type}: found ${describe(key)}; a text or a number is allowed.`,
      });
  }
  return groups;
}

function undeclared(type: string, groupTypes: ReadonlySet<string>): MessageProblem {
  return {
    reason: "undeclared_group_type",
    detail: `Group type ${describe(type)} is not among groupTypes of the mapping: ${[...groupTypes].join(", ")}.`,
  };
}
