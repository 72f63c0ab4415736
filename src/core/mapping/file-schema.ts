/** The form of a mapping file: what zod checks, and the JSON Schema that editors read. */

import * as z from "zod";
import { MAX_GROUP_TYPES } from "../group.ts";
import type { JsonObject } from "../json.ts";
import { DIRECTIVES } from "./directives.ts";

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
const expression = z.unknown().meta({ id: "value", description: "A raw value, or an object with one directive." });

const groupIdentify = z.strictObject({
  groupType: expression.describe("Gives the group type: one of those declared."),
  groupKey: expression.describe("Gives the key of the group."),
  properties: expression.optional().describe("Gives an object."),
});

const event = z.strictObject({
  name: expression.describe("Gives the name of the event."),
  distinctId: expression.describe("Gives the distinct id of the person."),
  properties: expression.optional().describe("Gives an object."),
  groups: expression.optional().describe("Gives an object from group type to group key."),
});

export const ruleSchema = z.strictObject({
  name: z.string().min(1),
  when: z.string().optional().describe('An FQL condition such as type = "track". Absent: always.'),
  groupIdentify: groupIdentify.optional(),
  event: event.optional(),
  reject: z.strictObject({ reason: z.enum(REASONS), detail: z.string().min(1) }).optional(),
});

export const mappingFileSchema = z.strictObject({
  dialect: z.enum(["prickle", "segment"]).default("prickle"),
  groupTypes: z.array(z.string()).min(1).max(MAX_GROUP_TYPES).describe("Every group type that may come out."),
  rules: z.array(ruleSchema).min(1).describe("Tried in order; the first whose condition holds is applied."),
});

export type MappingFile = z.infer<typeof mappingFileSchema>;
export type RuleFile = z.infer<typeof ruleSchema>;

/** JSON Schema (draft 2020-12) of a mapping file, for editors. */
export function mappingJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(mappingFileSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === expression) Object.assign(jsonSchema, valueSchema());
    },
  });
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

function valueSchema(): JsonObject {
  const inner = { $ref: "#/$defs/value" };
  const directives = [...DIRECTIVES.keys()].map((name) => [name, inner]);
  return {
    type: ["string", "number", "boolean", "null", "array", "object"],
    items: inner,
    properties: { ...Object.fromEntries(directives), _metadata: { type: "object" } },
    additionalProperties: inner,
  };
}
