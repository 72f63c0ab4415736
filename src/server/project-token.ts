/** Project tokens in PostHog's form. As at PostHog's edge their shape counts only: the engine belongs to no project. */

const MAX_CHARACTERS = 64;
const PERSONAL_KEY = "phx_";

/** Why a text is no project token, trimmed; null: it is one. */
export function tokenProblem(text: string): string | null {
  const token = text.trim();
  if (token === "") return "it is empty";
  if (token.length > MAX_CHARACTERS) return `it has more than ${MAX_CHARACTERS} characters`;
  if (token.startsWith(PERSONAL_KEY)) return "it is a personal key";
  const isAscii = Buffer.byteLength(token) === token.length && !token.includes("\0");
  return isAscii ? null : "it is not ASCII, or has NUL in it";
}
