/** The form of a mapping file, as zod checks it. What stands in the values the compiler checks. */

import * as z from "zod";
import { MAX_GROUP_TYPES } from "../group.ts";
import { ROOT_DIRECTIVE } from "./root-directive.ts";

const REASONS = [
  "unsupported_type",
  "delete_not_supported",
  "missing_user",
  "missing_event",
  "missing_group_id",
  "invalid_field",
  "no_rule",
] as const;

/** Anything: the compiler looks inside. */
export const expression = z
  .unknown()
  .meta({ id: "value", description: "A raw value, or an object with one directive." });
const root = z
  .unknown()
  .optional()
  .describe("Segment's root directive: a @transform whose result the other keys read.");

const groupIdentify = z.strictObject({
  groupType: expression.describe("Gives the group type: one of those declared."),
  groupKey: expression.optional().describe("Gives the key of the group. May be missing where aliases are given."),
  aliases: expression.optional().describe("Gives other names of the group, such as domain:acme.com: one, or a list."),
  mergedAliases: expression.optional().describe("Gives aliases of groups that were merged into this one."),
  fallbackKey: expression.optional().describe("Gives the key when there is no groupKey and no alias is known."),
  properties: expression.optional().describe("Gives an object."),
  [ROOT_DIRECTIVE]: root,
});

const event = z.strictObject({
  name: expression.describe("Gives the name of the event."),
  distinctId: expression.describe("Gives the distinct id of the person."),
  properties: expression.optional().describe("Gives an object."),
  groups: expression.optional().describe("Gives an object from group type to group key."),
  groupsOf: expression
    .optional()
    .describe("Gives the ids of the person whose memberships give the group types that groups lacks."),
  [ROOT_DIRECTIVE]: root,
});

const membership = z.strictObject({
  of: expression.describe("Gives the ids of the person, the one that counts most first."),
  groupType: expression.optional().describe("Gives the group type: one of those declared. Default: as groupIdentify."),
  groupKey: expression
    .optional()
    .describe("Gives the key of the group; nothing: no membership, or leaves any. Default: as groupIdentify."),
  leaves: expression.optional().describe("Gives true where the person leaves the group."),
  [ROOT_DIRECTIVE]: root,
});

const join = z.strictObject({
  id: expression.describe("Gives the id by which the person is known from now on."),
  earlierId: expression.describe("Gives another id of the same person, such as an anonymous one."),
  [ROOT_DIRECTIVE]: root,
});

const reject = z.strictObject({ reason: z.enum(REASONS), detail: z.string().min(1) });
const name = z.string().min(1);
const when = z.string().describe('An FQL condition such as type = "track". Absent: always.');

export const ruleSchema = z.strictObject({
  name,
  when: when.optional(),
  groupIdentify: groupIdentify.optional().describe("Makes a group identify."),
  event: event.optional().describe("Makes an event."),
  membership: membership.optional().describe("Says to which group a person belongs from now on."),
  join: join.optional().describe("Says that two ids are one person's."),
  reject: reject.optional().describe("Keeps the record as a rejection, with this reason."),
});

/** As it is read: what is missing in an output the compiler says, which also knows what another part stands in for. */
const readRuleSchema = ruleSchema.extend({
  groupIdentify: groupIdentify.partial().optional(),
  event: event.partial().optional(),
  membership: membership.partial().optional(),
  join: join.partial().optional(),
});

const another = z.string().min(1).optional();

/** A rule of a mapping that extends another: of a rule of this name there only what is written here is changed. */
export const changeSchema = z.strictObject({
  name: name.describe("A rule of the mapping extended, to change it, or a new name, to add one."),
  when: when.nullish().describe("An FQL condition; null: always."),
  groupIdentify: groupIdentify.partial().nullish().describe("The parts that are otherwise; null: none is made."),
  event: event.partial().nullish().describe("The parts that are otherwise; null: none is made."),
  membership: membership.partial().nullish().describe("The parts that are otherwise; null: none is said."),
  join: join.partial().nullish().describe("The parts that are otherwise; null: none is said."),
  reject: reject.nullish().describe("null: it is not rejected."),
  before: another.describe("Stands before the rule of this name."),
  after: another.describe("Stands after the rule of this name."),
  remove: z.literal(true).optional().describe("The rule is left out."),
});

const dialect = z.enum(["prickle", "segment"]).default("prickle").describe("Whose results where the two differ.");
const groupTypes = z.array(z.string()).min(1).max(MAX_GROUP_TYPES).describe("Every group type that may come out.");

const precedence = z.union([z.number(), z.record(z.string(), z.number())]);

/** See core/attribution/rules.ts. */
export const groupsSchema = z.strictObject({
  several: z
    .enum(["latest", "none"])
    .describe("Of a person in several groups of one type: the one joined last, or none."),
  beforeFirst: z.enum(["none", "first"]).describe("Before a person's first membership: no group, or the first known."),
  keyProperty: z.string().min(1).describe("The property in which a group carries its key."),
  prefix: z.string().describe("Before the name of every property of this source."),
  precedence: precedence.describe(
    "Whose word counts where sources differ, the higher one; a number, or one for each property and `default`.",
  ),
  nulls: z.enum(["skip", "set", "unset"]).describe("A property that is null: left as it is, set to null, or removed."),
  volatile: z.array(z.string().min(1)).describe("Properties, with * and ?, whose change alone sends nothing."),
  collision: z
    .enum(["first", "most_recent", "reject"])
    .describe("An alias that two groups claim: stays, moves, or the record is rejected."),
  unresolved: z
    .enum(["park", "reject"])
    .describe("A record whose key nobody knows: kept until an alias is, or rejected."),
});
const groups = groupsSchema
  .partial()
  .optional()
  .describe("How groups of this source are attributed, kept and looked up.");

export const mappingFileSchema = z.strictObject({
  dialect,
  groupTypes,
  groups,
  rules: z.array(ruleSchema).min(1).describe("Tried in order; the first whose condition holds is applied."),
});

export const extensionSchema = z.strictObject({
  extends: z.string().min(1).describe("The name of a shipped mapping, or the path of one from this file."),
  dialect,
  groupTypes: groupTypes.optional().describe("Every group type that may come out, instead of those there."),
  addGroupTypes: z.array(z.string()).min(1).optional().describe("Group types beside those there."),
  groups,
  rules: z.array(changeSchema).default([]).describe("Changes of rules there, and new rules."),
});

const readFileSchema = mappingFileSchema.extend({ rules: z.array(readRuleSchema).min(1) });

export type RuleFile = z.infer<typeof readRuleSchema> | z.infer<typeof changeSchema>;

interface FileSchemas {
  readonly file: typeof readFileSchema | typeof extensionSchema;
  readonly rule: typeof readRuleSchema | typeof changeSchema;
}

/** The form a content shall have: that of a mapping which extends another, if it says so. */
export function schemasFor(content: unknown): FileSchemas {
  return isExtension(content)
    ? { file: extensionSchema, rule: changeSchema }
    : { file: readFileSchema, rule: readRuleSchema };
}

export function isExtension(content: unknown): boolean {
  return typeof content === "object" && content !== null && Object.hasOwn(content, "extends");
}
