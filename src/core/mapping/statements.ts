/** What a rule says of people: to which group one belongs, and which ids are one's. */

import { groupKeyProblem } from "../group.ts";
import type { MessageProblem } from "../message.ts";
import { idsIn, isMissing, type Output, type OutputContext, readText, undeclared } from "./outputs.ts";
import type { Expression } from "./scope.ts";

export interface MembershipParts {
  readonly of: Expression;
  readonly leaves: Expression;
  /** Null: the group that the rule identifies. */
  readonly group: { readonly groupType: Expression; readonly groupKey: Expression } | null;
}

/** A record that names no person, or no group to join, says nothing, and that is no problem. */
export function membershipOutput({ of, leaves, group }: MembershipParts, context: OutputContext): Output {
  return group ? inOwnGroup({ of, leaves, group }, context) : inIdentifiedGroup({ of, leaves });
}

/** What is wrong with the group has been told. */
function inIdentifiedGroup({ of, leaves }: Pick<MembershipParts, "of" | "leaves">): Output {
  return (data, run, { drafts, statements, problems }) => {
    const identified = drafts.find((draft) => draft.kind === "groupIdentify");
    const ids = idsIn(of(data, run));
    const joins = leaves(data, run) !== true;
    if (run.refusal) return noteOnce(problems, run.refusal);
    if (!identified || identified.groupKey === null || ids.length === 0) return;
    const { groupType, groupKey } = identified;
    statements.push({ kind: "membership", ids, groupType, groupKey, joins });
  };
}

type OwnGroup = MembershipParts & { readonly group: NonNullable<MembershipParts["group"]> };

function inOwnGroup(read: OwnGroup, { rule, groupTypes }: OutputContext): Output {
  return (data, run, { statements, problems }) => {
    const ids = idsIn(read.of(data, run));
    const { group } = read;
    const type = readText(group.groupType(data, run), `${rule}: membership.groupType`, "undeclared_group_type");
    const given = group.groupKey(data, run);
    const joins = read.leaves(data, run) !== true;
    if (run.refusal) return noteOnce(problems, run.refusal);
    if (ids.length === 0 || (isMissing(given) && joins)) return;
    const groupKey = isMissing(given) ? "" : readText(given, `${rule}: membership.groupKey`, "missing_group_id");
    if (typeof type !== "string") return noteOnce(problems, type);
    if (!groupTypes.has(type)) return noteOnce(problems, undeclared(type, groupTypes));
    if (typeof groupKey !== "string") return noteOnce(problems, groupKey);
    const problem = groupKey === "" ? null : groupKeyProblem(groupKey);
    if (problem) {
      return noteOnce(problems, { reason: "invalid_group_key", detail: `${rule}: membership: ${problem}.` });
    }
    statements.push({ kind: "membership", ids, groupType: type, groupKey, joins });
  };
}

export interface JoinParts {
  readonly id: Expression;
  readonly earlierId: Expression;
}

/** A record that names only one of the two says nothing. */
export function joinOutput(read: JoinParts): Output {
  return (data, run, { statements, problems }) => {
    const [id] = idsIn(read.id(data, run));
    const [earlierId] = idsIn(read.earlierId(data, run));
    if (run.refusal) return noteOnce(problems, run.refusal);
    if (id !== undefined && earlierId !== undefined && id !== earlierId)
      statements.push({ kind: "join", id, earlierId });
  };
}

/** The group identify of the same rule mostly says it too. */
function noteOnce(problems: MessageProblem[], problem: MessageProblem): undefined {
  if (!problems.some(({ reason }) => reason === problem.reason)) problems.push(problem);
}
