/** Dead letters: messages given up, with the reason; and which of them are meant. */

export interface DeadLetter {
  readonly id: number;
  readonly destination: string;
  readonly uuid: string;
  readonly lane: number;
  readonly reason: string;
  /** Attempts including the last one. */
  readonly attempts: number;
  readonly firstAttemptAt: number;
  readonly diedAt: number;
  /** The message as it was to be delivered: JSON text. */
  readonly body: string;
}

/** All conditions given must hold; none given means all. */
export interface DeadLetterFilter {
  readonly ids?: readonly number[];
  readonly destination?: string;
  /** Part of the reason, in upper or lower case. */
  readonly reason?: string;
  /** Name of the event. */
  readonly event?: string;
  /** Of a message about a group, or of an event that names it; without a key, of any group of the type. */
  readonly groupType?: string;
  readonly groupKey?: string;
  /** When it was given up, ms UTC: then or later, and earlier than. */
  readonly diedFrom?: number;
  readonly diedBefore?: number;
  readonly limit?: number;
}

/** A page of a list: `after` an id, and no more than fits into `maxBytes` of messages, but for the first. */
export interface DeadLetterPage {
  readonly after?: number;
  readonly maxBytes?: number;
}

/** A dead letter to be put back with another text. */
export interface EditedDeadLetter {
  readonly id: number;
  /** JSON text. */
  readonly body: string;
}
