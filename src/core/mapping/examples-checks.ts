/** What examples expect that no mapping can give: keys that no message has, reasons that there are not, names written twice. */

import { isJsonObject, type JsonValue } from "../json.ts";
import { REJECTION_REASONS } from "../record.ts";
import { describe, type PathSegment, type PlacedProblem, suggestion } from "./scope.ts";

type At = readonly PathSegment[];

const IDENTIFY = ["groupType", "groupKey", "aliases", "mergedAliases", "fallbackKey", "properties"];
const EVENT = ["event", "distinctId", "properties", "groups", "groupsOf"];
const MEMBERSHIP = ["member", "groupType", "joins", "leaves"];
const JOIN = ["id", "earlierId"];

/** Of any content: what is of the wrong kind is passed over. */
export function expectationProblems(content: unknown): readonly PlacedProblem[] {
  const examples = listAt(content, "examples");
  return [...namesTwice(examples), ...examples.flatMap((example, index) => problemsOf(example, ["examples", index]))];
}

function problemsOf(example: JsonValue, at: At): readonly PlacedProblem[] {
  return [
    ...listAt(example, "messages").flatMap((one, index) =>
      unknownKeys(one, [IDENTIFY, EVENT], [...at, "messages", index]),
    ),
    ...listAt(example, "statements").flatMap((one, index) =>
      unknownKeys(one, [MEMBERSHIP, JOIN], [...at, "statements", index]),
    ),
    ...listAt(example, "problems").flatMap((one, index) => unknownReason(one, [...at, "problems", index])),
  ];
}

/** Of the forms it may have, that with which it shares most keys counts. */
function unknownKeys(value: JsonValue, forms: readonly (readonly string[])[], at: At): readonly PlacedProblem[] {
  if (!isJsonObject(value)) return [];
  const shared = (form: readonly string[]) => form.filter((key) => Object.hasOwn(value, key)).length;
  const [form = []] = forms.toSorted((a, b) => shared(b) - shared(a));
  return Object.keys(value)
    .filter((key) => !form.includes(key))
    .map((key) => error([...at, key], `unknown key; ${form.join(", ")} are allowed.${suggestion(key, form)}`));
}

function unknownReason(value: JsonValue, at: At): readonly PlacedProblem[] {
  if (typeof value !== "string" || REJECTION_REASONS.some((reason) => reason === value)) return [];
  const allowed = `${REJECTION_REASONS.join(", ")} are allowed`;
  return [error(at, `found ${describe(value)}; ${allowed}.${suggestion(value, REJECTION_REASONS)}`)];
}

function namesTwice(examples: readonly JsonValue[]): readonly PlacedProblem[] {
  const names = new Set<JsonValue>();
  return examples.flatMap((example, index) => {
    const name = isJsonObject(example) ? example.name : undefined;
    if (typeof name !== "string") return [];
    if (names.has(name)) return [error(["examples", index, "name"], `an example ${describe(name)} is written before`)];
    names.add(name);
    return [];
  });
}

function listAt(value: unknown, key: string): readonly JsonValue[] {
  const list = isJsonObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

function error(at: At, message: string): PlacedProblem {
  return { at, severity: "error", message };
}
