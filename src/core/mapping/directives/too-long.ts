/** A bound on texts that directives build: what is longer than a message may be is not worth its memory. */

import { MAX_MESSAGE_BYTES } from "../../message.ts";
import type { Run } from "../run.ts";
import { refusalAt, type Scope } from "../scope.ts";

/** In characters, each of which is at least a byte. */
export const LONGEST_TEXT = MAX_MESSAGE_BYTES;

/** Gives nothing, for the expression to give. */
export function tooLongAt(scope: Scope): (run: Run) => undefined {
  const refuse = refusalAt(scope);
  return (run) =>
    refuse(
      run,
      `a text of more than ${LONGEST_TEXT} characters`,
      `as many as a message has, ${LONGEST_TEXT}, are allowed`,
    );
}
