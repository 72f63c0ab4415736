/** Placeholders as Segment's templates have them, found in one walk over the text. */

/**
 * The text cut at its placeholders: text, placeholder, text and so on. What is in one has no `}` and is not empty, but may
 * begin with `{`. As `text.split(/{{([^}]+)}}/)` has it, which takes the square of a text full of braces.
 */
export function placeholdersIn(text: string, open: string, close: string): readonly string[] {
  const parts: string[] = [];
  let [from, at] = [0, 0];
  for (;;) {
    const start = text.indexOf(open, at);
    const first = start + open.length;
    const end = start < 0 ? -1 : text.indexOf("}", first);
    if (end < 0) return [...parts, text.slice(from)];
    at = end + 1;
    if (end === first || !text.startsWith(close, end)) continue;
    parts.push(text.slice(from, start), text.slice(first, end));
    from = end + close.length;
    at = from;
  }
}
