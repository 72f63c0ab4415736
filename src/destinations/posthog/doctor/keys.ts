/** Whether token and personal key are what they should be, as far as they show it (facts on PostHog, 1, 2026-11). */

import { type Check, fine, leftOut, problem, warning } from "../../../core/checkup.ts";

const MAX_TOKEN = 64;
const COPY_TOKEN = "Copy the project token (phc_…) from the settings of the project in PostHog.";
const NOTHING_ARRIVES = "PostHog refuses whatever is sent with it: nothing is delivered.";

/** PostHog's edge looks at the form only. */
export function checkToken(token: string): Check {
  const wrong = wrongForm(token.trim());
  if (wrong !== null) return problem("token", { found: wrong, means: NOTHING_ARRIVES, todo: COPY_TOKEN });
  if (!token.trim().startsWith("phc_")) {
    return warning("token", {
      found: "The token does not begin with phc_.",
      means: "PostHog takes any token of the right form; what is sent with a wrong one is gone without a word.",
      todo: COPY_TOKEN,
    });
  }
  return fine("token", "The token has the form of a project token.");
}

function wrongForm(token: string): string | null {
  if (token.startsWith("phx_")) {
    return "A personal API key (phx_…) stands where the project token (phc_…) belongs.";
  }
  if (token === "") return "The token is empty.";
  if (token.length > MAX_TOKEN) return `The token has ${token.length} characters; PostHog takes ${MAX_TOKEN} at most.`;
  const isPlain = [...token].every((character) => character > "\0" && character <= "\x7f");
  return isPlain ? null : "The token has characters beyond ASCII.";
}

/** Null: it may be asked with. */
export function checkPersonalKey(key: string | null): Check | null {
  const todo =
    "Make a personal API key (phx_…) with the scopes group:read and project:read, in PostHog's user settings.";
  if (key === null) {
    return leftOut("personal key", "There is no personalApiKey with a projectId: the project cannot be asked.", todo);
  }
  if (key.startsWith("phx_")) return null;
  const what = key.startsWith("phc_") ? "A project token (phc_…)" : "Something that does not begin with phx_";
  return problem("personal key", {
    found: `${what} stands where a personal API key (phx_…) belongs.`,
    means: "Group types cannot be read, and properties of groups are not removed.",
    todo,
  });
}
