/** FQL cut into tokens. Source: facts on Segment, 6.1. */

export type Token =
  | { readonly kind: "symbol"; readonly text: string; readonly at: number }
  /** A field path or a word of the language; a field has its keys, escapes resolved. */
  | { readonly kind: "name"; readonly text: string; readonly keys: readonly string[]; readonly at: number }
  /** `written`: with its quotes and escapes. */
  | { readonly kind: "string"; readonly text: string; readonly written: string; readonly at: number }
  | { readonly kind: "number"; readonly value: number; readonly text: string; readonly at: number }
  | { readonly kind: "end"; readonly text: "the end"; readonly at: number };

/** What cannot be read, and at which character, from 0. */
export class FqlError extends Error {
  override readonly name = "FqlError";
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.\\-]))|(?<name>(?:[\p{L}\p{N}_$-]|\\.|\.(?=[^\s.)]))+)|(?<symbol>!=|<=|>=|[=<>!(),[\]]))/suy;

/** @throws FqlError at the first character that begins no token. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  for (;;) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) {
      const at = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
      if (at < text.length) throw new FqlError(`cannot read ${JSON.stringify(text.slice(at, at + 20))}`, at);
      return [...tokens, { kind: "end", text: "the end", at }];
    }
    const token = tokenOf(match.groups ?? {}, pattern.lastIndex);
    if (token.kind === "name" && token.text.startsWith("."))
      throw new FqlError(
        `found ${JSON.stringify(token.text)}; a digit is needed before the dot of a number, and no dot before a field`,
        token.at,
      );
    tokens.push(token);
  }
}

function tokenOf({ string, number, name, symbol = "" }: Record<string, string | undefined>, end: number): Token {
  if (string !== undefined) {
    return { kind: "string", text: unescapeText(string.slice(1, -1)), written: string, at: end - string.length };
  }
  if (number !== undefined) return { kind: "number", value: Number(number), text: number, at: end - number.length };
  if (name !== undefined) return { kind: "name", text: name, keys: keysOf(name), at: end - name.length };
  return { kind: "symbol", text: symbol, at: end - symbol.length };
}

/** Quotes and the backslash itself lose theirs, whatever else has one keeps it. */
function unescapeText(text: string): string {
  return text.replace(/\\(["'\\])/g, "$1");
}

function keysOf(name: string): readonly string[] {
  return [...name.matchAll(/(?:[^.\\]|\\.)+/gsu)].map(([key]) => key.replace(/\\(.)/gsu, "$1"));
}
