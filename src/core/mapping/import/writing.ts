/** The text of an imported mapping. */

import { MAX_GROUP_TYPES } from "../../group.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../json.ts";
import { yamlPair } from "../yaml-writing.ts";
import type { ImportedRule } from "./subscriptions.ts";

const HEAD = `# yaml-language-server: $schema=../schemas/mapping.schema.json
#
# Imported from the subscriptions of a Segment destination.

dialect: segment
`;

const REST: JsonObject = {
  reject: { reason: "unsupported_type", detail: "No subscription of the Segment destination wanted it." },
};

export function mappingText(rules: readonly ImportedRule[]): string {
  const written = rules.map(({ name, when, outputs }) => ruleText(name, when, outputs));
  const types = yamlPair("groupTypes", [...groupTypesOf(rules)], 0);
  return `${HEAD}${types}\n\nrules:\n${[...written, ruleText("the rest", null, REST)].join("\n")}`;
}

function ruleText(name: string, when: string | null, outputs: JsonObject): string {
  const pairs = Object.entries(outputs).map(([key, value]) => blockPair(key, value));
  const lines = [yamlPair("name", name, 4), ...(when === null ? [] : [`when: ${conditionText(when)}`]), ...pairs];
  return `  - ${lines.join("\n    ")}\n`;
}

/** An output has a line for each of its parts. */
function blockPair(key: string, value: JsonValue): string {
  const parts = Object.entries(isJsonObject(value) ? value : {}).map(([part, inner]) => yamlPair(part, inner, 6));
  return `${key}:\n      ${parts.join("\n      ")}`;
}

/** Unquoted where YAML takes it as it is: its own quotes stay readable. */
function conditionText(when: string): string {
  return /^[A-Za-z!(][^\n]*\S$/.test(when) && !/: | #|^!/.test(when) ? when : JSON.stringify(when);
}

/** Those that the rules name; without any, one has to stand there. */
function groupTypesOf(rules: readonly ImportedRule[]): ReadonlySet<string> {
  const named = rules.flatMap(({ outputs: { groupIdentify, event } }) => {
    const type = isJsonObject(groupIdentify) ? groupIdentify.groupType : undefined;
    const groups = isJsonObject(event) && isJsonObject(event.groups) ? Object.keys(event.groups) : [];
    return [...(typeof type === "string" ? [type] : []), ...groups.filter((key) => !key.startsWith("@"))];
  });
  const types = new Set(named.slice(0, 100));
  return types.size === 0 ? new Set(["company"]) : new Set([...types].slice(0, MAX_GROUP_TYPES));
}
