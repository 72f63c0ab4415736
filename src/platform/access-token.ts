/** A token that is asked for once, however many requests wait for it, and again when it is about to end or was refused. */

import type { Clock } from "../core/clock.ts";

export interface GrantedToken {
  readonly token: string;
  /** ms UTC; null: it does not say. */
  readonly endsAt: number | null;
}

export interface AccessToken {
  current(signal: AbortSignal): Promise<string>;
  /** The one given was refused: gets another. */
  renew(signal: AbortSignal): Promise<boolean>;
}

/** `grant` asks for one; `earlyMs`: how long before its end another one is asked for. */
export function createAccessToken(
  grant: (signal: AbortSignal) => Promise<GrantedToken>,
  clock: Pick<Clock, "now">,
  earlyMs = 5 * 60_000,
): AccessToken {
  let granted: GrantedToken | null = null;
  let underWay: Promise<GrantedToken> | null = null;

  function ask(signal: AbortSignal): Promise<GrantedToken> {
    underWay ??= grant(signal)
      .then((one) => {
        granted = one;
        return one;
      })
      .finally(() => {
        underWay = null;
      });
    return underWay;
  }

  return {
    async current(signal) {
      const isGood = granted && (granted.endsAt === null || granted.endsAt - earlyMs > clock.now());
      return (isGood && granted ? granted : await ask(signal)).token;
    },
    async renew(signal) {
      await ask(signal);
      return true;
    },
  };
}
