/** What a project says of itself, against what prickle is told of it. */

import { type Check, fine, leftOut, problem, warning } from "../../../core/checkup.ts";
import { MAX_GROUP_TYPES } from "../../../core/group.ts";
import { type DeclaredGroupTypes, planGroupSlots } from "../../../core/group-slots.ts";
import type { ProjectApi } from "../private-api/client.ts";
import type { ApiFailure } from "../private-api/failure.ts";
import { type DatedGroupType, readGroupTypes } from "../private-api/group-types.ts";
import { type ProjectSettings, readSettings } from "../private-api/settings.ts";

export interface ProjectChecks {
  readonly token: string;
  readonly declared: readonly DeclaredGroupTypes[];
}

/** PostHog's "all time" begins here: what is older is shown nowhere. */
const ALL_TIME_FROM = Date.UTC(2015, 0, 1);
const DAY_SECONDS = 86_400;

export async function checkProject(api: ProjectApi, { token, declared }: ProjectChecks): Promise<readonly Check[]> {
  const settings = await readSettings(api);
  const types = await readGroupTypes(api);
  return [
    ...("settings" in settings ? settingsChecks(settings.settings, api, token) : unread("project", settings, SETTINGS)),
    ...("groupTypes" in types ? typeChecks(types.groupTypes, declared) : unread("group types", types, TYPES)),
  ];
}

/** Names of the checks that need them. */
const SETTINGS = ["old events", "persons"];
const TYPES = ["group types since"];

/** What is refused for a scope alone was left out; anything else is wrong. */
function unread(name: string, { reason, hint }: ApiFailure, others: readonly string[]): readonly Check[] {
  const isScope = /lacks a scope/.test(reason);
  const found = `It could not be read: ${reason}.`;
  const means = "The private API does not serve prickle: what needs it is left out.";
  const first = isScope ? leftOut(name, found, hint) : problem(name, { found, means, todo: hint });
  return [first, ...others.map((other) => leftOut(other, `It was not read, as ${name} was not.`))];
}

function settingsChecks(settings: ProjectSettings, api: ProjectApi, token: string): readonly Check[] {
  return [checkOwner(settings, api, token), checkOldEvents(settings), checkPersons(settings)];
}

function checkOwner({ name, token: own }: ProjectSettings, { projectId }: ProjectApi, token: string): Check {
  const project = `project ${projectId}${name === "" ? "" : `, ${JSON.stringify(name)}`}`;
  if (own === null) return leftOut("project", `PostHog does not say which token ${project} has.`);
  if (own === token.trim()) return fine("project", `The token is that of ${project}.`);
  return problem("project", {
    found: `The token is not that of ${project}.`,
    means: "Messages go to another project, or to none: PostHog takes any token without a word.",
    todo: "Copy the token of this project, or name the project that the token is of in projectId.",
  });
}

function checkOldEvents({ dropsOlderThanSeconds: seconds }: ProjectSettings): Check {
  if (seconds === undefined) return leftOut("old events", "PostHog does not say whether the project drops old events.");
  if (seconds === null) return fine("old events", "The project keeps events however old they are.");
  const days = seconds / DAY_SECONDS;
  const age = days >= 1 ? `${Math.round(days * 10) / 10} days` : `${seconds} s`;
  return warning("old events", {
    found: `The project drops events that are older than ${age}.`,
    means:
      "What a backfill brings of the time before is lost, and so is the event that claims the slots of group types.",
    todo: "Have the setting taken away for a backfill, or bring only what is newer.",
  });
}

function checkPersons({ isPersonless }: ProjectSettings): Check {
  if (isPersonless === undefined) {
    return leftOut("persons", "PostHog does not say whether the project processes persons.");
  }
  if (!isPersonless) return fine("persons", "The project processes persons, and so groups.");
  return problem("persons", {
    found: "The project is set to process no persons.",
    means: "PostHog does nothing to groups then: no group appears, and no event shows its group.",
    todo: "Have person processing turned on for the project.",
  });
}

function typeChecks(types: readonly DatedGroupType[], declared: readonly DeclaredGroupTypes[]): readonly Check[] {
  return [checkSlots(types, declared), checkSince(types, declared)];
}

function checkSlots(types: readonly DatedGroupType[], declared: readonly DeclaredGroupTypes[]): Check {
  const { slots, problems } = planGroupSlots(declared, types);
  const [first] = problems;
  if (first) {
    return problem("group types", {
      found: problems.map(({ found }) => `${found}.`).join(" "),
      means:
        "PostHog drops groups of a type it has no room for without a word, and a mistyped name takes a slot for good.",
      todo: `Allowed are ${first.allowed}.`,
    });
  }
  const has = new Set(types.map(({ groupType }) => groupType));
  const named = slots.map(({ index, groupType }) => `${index} ${groupType}${has.has(groupType) ? "" : " (to come)"}`);
  return fine("group types", `${named.join(", ") || "There are none"}; ${MAX_GROUP_TYPES - slots.length} are free.`);
}

/** HogQL shows no group on events before the type's first (facts on PostHog, 6.1). */
function checkSince(types: readonly DatedGroupType[], declared: readonly DeclaredGroupTypes[]): Check {
  const name = "group types since";
  const wanted = new Set(declared.flatMap(({ groupTypes }) => groupTypes));
  const own = types.filter(({ groupType }) => wanted.has(groupType));
  if (own.length === 0) return leftOut(name, "The project has none of the declared group types yet.");
  const late = own.filter(({ createdAt }) => createdAt !== null && createdAt > ALL_TIME_FROM);
  if (own.every(({ createdAt }) => createdAt === null)) return leftOut(name, "PostHog does not say since when.");
  if (late.length === 0) return fine(name, "Events of any time show their groups.");
  const listed = late.map(
    ({ groupType, createdAt }) => `${groupType} ${new Date(createdAt ?? 0).toISOString().slice(0, 10)}`,
  );
  return warning(name, {
    found: `PostHog has group types since: ${listed.join(", ")}.`,
    means:
      "Events from before that day show no group of the type; newer servers move the day back when older events come.",
    todo: "Before a backfill of older events to a server of one's own: see that one old event of each type comes first.",
  });
}
