/** Which messages may share a request. */

/** Two that must not: one uuid, or one key of `keysOf`. */
export interface RequestRules<Message> {
  readonly uuidOf: (message: Message) => string;
  /** What messages that must arrive one after the other have in common; null: it matters to none. */
  readonly keyOf: (message: Message) => string | null;
}

/**
 * Places of the messages, request by request, each ascending: a request holds a uuid once, and at most one message of a
 * key; what of a key comes later is in a later request.
 */
export function requestsOf<Message>(
  messages: readonly Message[],
  { uuidOf, keyOf }: RequestRules<Message>,
): readonly (readonly number[])[] {
  const requests: number[][] = [];
  /** Uuid, or key behind a line break → the last request that has it. */
  const last = new Map<string, number>();
  for (const [place, message] of messages.entries()) {
    const uuid = uuidOf(message);
    const key = keyOf(message);
    const named = key === null ? null : `\n${key}`;
    const at = 1 + Math.max(last.get(uuid) ?? -1, named === null ? -1 : (last.get(named) ?? -1));
    last.set(uuid, at);
    if (named !== null) last.set(named, at);
    const request = requests[at];
    if (request) request.push(place);
    else requests[at] = [place];
  }
  return requests;
}
