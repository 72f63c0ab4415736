/** One application of a mapping to one record: what its expressions read beside the data, and where they refuse. */

import type { KnownGroups } from "../known-groups.ts";
import type { MessageProblem } from "../message.ts";

export interface Run {
  readonly groups: KnownGroups;
  /** When the record came in, in ms UTC: what a mapping may call "now". */
  readonly receivedAt: number;
  /** Set by an expression that cannot give what it was told to: the output around it makes no message. */
  refusal: MessageProblem | null;
}
