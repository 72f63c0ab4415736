/** What PostHog's capture refuses, whichever the protocol. */

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Of the token at the edge: its shape only. */
export function isTokenShaped(token: string): boolean {
  const isAscii = [...token].every((character) => character > "\0" && character <= "\x7f");
  return token !== "" && token.length <= 64 && isAscii && !token.startsWith("phx_");
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const MAX_EVENT_BYTES = 900_000;
