/** The outputs of a rule compiled: from what its values give to a message draft, or to the problem with it. */

import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { KeyHints, MessageDraft, MessageProblem, Statement } from "../message.ts";
import type { RejectionReason } from "../record.ts";
import type { Run } from "./run.ts";
import { describe, type Expression } from "./scope.ts";

/** Adds what it makes of the data to the drafts and problems. */
export type Output = (data: JsonValue | undefined, run: Run, made: Made) => void;

export interface Made {
  readonly drafts: MessageDraft[];
  readonly statements: Statement[];
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
  readonly aliases: Expression;
  readonly mergedAliases: Expression;
  readonly fallbackKey: Expression;
}

export function groupIdentifyOutput(
  read: GroupIdentifyParts,
  { rule, groupTypes, hasAliases }: OutputContext & { readonly hasAliases: boolean },
): Output {
  return (data, run, { drafts, problems }) => {
    const type = readText(read.groupType(data, run), `${rule}: groupType`, "undeclared_group_type");
    const given = read.groupKey(data, run);
    const keys = hasAliases ? keyHints(read, data, run) : null;
    const resolvable = keys !== null && isMissing(given) && saysSomething(keys);
    const key = resolvable ? null : readText(given, `${rule}: groupKey`, "missing_group_id");
    const properties = read.properties(data, run);
    if (run.refusal) return void problems.push(run.refusal);
    if (typeof type !== "string") return void problems.push(type);
    if (!groupTypes.has(type)) return void problems.push(undeclared(type, groupTypes));
    if (key !== null && typeof key !== "string") return void problems.push(key);
    const found = bagOf(properties, `${rule}: properties`, problems);
    if (!found) return;
    const draft = { kind: "groupIdentify", groupType: type, groupKey: key, properties: found } as const;
    drafts.push(keys ? { ...draft, keys } : draft);
  };
}

function keyHints(read: GroupIdentifyParts, data: JsonValue | undefined, run: Run): KeyHints {
  const fallback = idsIn(read.fallbackKey(data, run));
  return {
    aliases: idsIn(read.aliases(data, run)),
    mergedAliases: idsIn(read.mergedAliases(data, run)),
    fallbackKey: fallback[0] ?? null,
  };
}

function saysSomething({ aliases, mergedAliases, fallbackKey }: KeyHints): boolean {
  return aliases.length + mergedAliases.length > 0 || fallbackKey !== null;
}

export interface EventParts {
  readonly name: Expression;
  readonly distinctId: Expression;
  readonly properties: Expression;
  readonly groups: Expression;
  readonly groupsOf: Expression;
}

export function eventOutput(read: EventParts, { rule, groupTypes }: OutputContext): Output {
  return (data, run, { drafts, problems }) => {
    const event = readText(read.name(data, run), `${rule}: name`, "missing_event");
    const distinctId = readText(read.distinctId(data, run), `${rule}: distinctId`, "missing_user");
    const properties = read.properties(data, run);
    const groups = read.groups(data, run);
    const person = read.groupsOf(data, run);
    if (run.refusal) return void problems.push(run.refusal);
    if (typeof event !== "string") return void problems.push(event);
    if (typeof distinctId !== "string") return void problems.push(distinctId);
    const bag = bagOf(properties, `${rule}: properties`, problems);
    if (!bag) return;
    // Whoever builds the message adds to it.
    const found = { ...bag };
    // The groups are said in one place only: what came under this name went through `groups`, or is not meant.
    if (found.$groups !== undefined) delete found.$groups;
    const draft = { kind: "event", event, distinctId, properties: found } as const;
    const given = readGroups(groups, groupTypes, problems);
    // Who has all groups can gain none.
    const groupsOf = Object.keys(given).length < groupTypes.size ? idsIn(person) : NOBODY;
    drafts.push(groupsOf.length > 0 ? { ...draft, groups: given, groupsOf } : { ...draft, groups: given });
  };
}

/** An id or a name as text: numbers become text, nothing is missing, the rest is refused. */
export function readText(
  value: JsonValue | undefined,
  where: string,
  missing: RejectionReason,
): string | MessageProblem {
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number") return String(value);
  if (isMissing(value)) {
    return { reason: missing, detail: `${where}: found ${describe(value)}; a text is needed.` };
  }
  return { reason: "invalid_field", detail: `${where}: found ${describe(value)}; a text or a number is allowed.` };
}

export function isMissing(value: JsonValue | undefined): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

/** Texts and numbers, one or a list of them, each once and at most MOST_GIVEN; what is neither is left out. */
export function idsIn(value: JsonValue | undefined): readonly string[] {
  const ids = new Set<string>();
  for (const one of Array.isArray(value) ? value : [value]) {
    if ((typeof one === "string" && one !== "") || typeof one === "number") ids.add(String(one));
    if (ids.size === MOST_GIVEN) break;
  }
  return [...ids];
}

const MOST_GIVEN = 16;
const NOBODY: readonly string[] = [];

/** Null, with a problem noted, if it is no object. */
function bagOf(value: JsonValue | undefined, where: string, problems: MessageProblem[]): JsonObject | null {
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  problems.push({ reason: "invalid_field", detail: `${where}: found ${describe(value)}; an object is allowed.` });
  return null;
}

/** Those that can be used; the event goes out without the others. */
function readGroups(
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

export function undeclared(type: string, groupTypes: ReadonlySet<string>): MessageProblem {
  return {
    reason: "undeclared_group_type",
    detail: `Group type ${describe(type)} is not among groupTypes of the mapping: ${[...groupTypes].join(", ")}.`,
  };
}
