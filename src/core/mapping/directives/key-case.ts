/** Property names from one way of writing to another: `Total Billed`, `totalBilled`, `total_billed`. */

/** Keys that begin with `$` are PostHog's own and stay. */
export function renameTo(form: "snake" | "camel"): (key: string) => string {
  const convert = form === "snake" ? snakeCase : camelCase;
  const known = new Map<string, string>();
  return (key) => {
    const name = known.get(key) ?? (key.startsWith("$") ? key : convert(key));
    if (known.size < KEPT) known.set(key, name);
    return name;
  };
}

/** Bags of one source have the same keys over and over. */
const KEPT = 1000;

/** Words as spaces, signs and capitals part them: `HTTPStatus2 code` has `HTTP`, `Status2`, `code`. */
function wordsOf(key: string): readonly string[] {
  return key.match(/\p{Lu}+(?!\p{Ll})[\p{N}]*|\p{Lu}?[\p{Ll}\p{Lo}\p{M}\p{N}]+|\p{N}+/gu) ?? [];
}

function snakeCase(key: string): string {
  return wordsOf(key).join("_").toLowerCase() || key;
}

function camelCase(key: string): string {
  const joined = wordsOf(key)
    .map((word, index) => {
      const lower = word.toLowerCase();
      return index === 0 ? lower : lower.charAt(0).toUpperCase() + lower.slice(1);
    })
    .join("");
  return joined || key;
}
