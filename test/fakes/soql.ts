/** As much of SOQL as a test needs: SELECT fields FROM an object WHERE comparisons ORDER BY fields. */

export type SoqlRow = Readonly<Record<string, string | number | boolean | null>>;

export interface ParsedSoql {
  readonly fields: readonly string[];
  readonly isCount: boolean;
  readonly object: string;
  readonly order: readonly string[];
  matches(row: SoqlRow): boolean;
}

const QUERY = /^SELECT (?<fields>.+?) FROM (?<object>\w+)(?: WHERE (?<where>.+?))?(?: ORDER BY (?<order>[\w, ]+))?$/;
const TOKEN = /\s*(\(|\)|,|<=|>=|=|<|>|'(?:\\.|[^'\\])*'|\d{4}-[\d:.TZ-]+|[A-Za-z_]\w*)/y;

/** Null: malformed. */
export function parseSoql(text: string): ParsedSoql | null {
  const found = QUERY.exec(text)?.groups;
  if (!found?.fields || !found.object) return null;
  const matches = found.where === undefined ? () => true : parseCondition(found.where);
  if (!matches) return null;
  const isCount = found.fields === "COUNT()";
  const fields = isCount ? [] : found.fields.split(", ");
  return { fields, isCount, object: found.object, order: found.order?.split(", ") ?? [], matches };
}

type Condition = (row: SoqlRow) => boolean;

function parseCondition(text: string): Condition | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1] ?? "");
  let at = 0;
  const take = () => tokens[at++] ?? "";
  const join = (word: string, next: () => Condition, how: (all: readonly boolean[]) => boolean): Condition => {
    const parts = [next()];
    while (tokens[at] === word) {
      at += 1;
      parts.push(next());
    }
    return (row) => how(parts.map((part) => part(row)));
  };
  const any = (): Condition => join("OR", every, (all) => all.includes(true));
  const every = (): Condition => join("AND", one, (all) => !all.includes(false));
  function one(): Condition {
    if (tokens[at] === "(") {
      at += 1;
      const inner = any();
      at += 1;
      return inner;
    }
    const field = take();
    const operator = take();
    if (operator === "IN") {
      const values: unknown[] = [];
      for (let token = take(); token !== ")" && token !== ""; token = take()) {
        if (token !== "(" && token !== ",") values.push(constantOf(token));
      }
      return (row) => values.includes(row[field]);
    }
    const value = constantOf(take());
    return (row) => compare(row[field] ?? null, operator, value);
  }
  const condition = any();
  return at === tokens.length ? condition : null;
}

/** Times as the rows have them: in ms. */
function constantOf(token: string): string | number | boolean | null {
  if (token.startsWith("'")) return token.slice(1, -1).replace(/\\(.)/g, "$1");
  if (token === "true" || token === "false") return token === "true";
  return Date.parse(token);
}

function compare(left: SoqlRow[string], operator: string, right: SoqlRow[string]): boolean {
  if (left === null || right === null || left === undefined || right === undefined) return false;
  switch (operator) {
    case "=":
      return left === right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "<=":
      return left <= right;
    default:
      return left < right;
  }
}
