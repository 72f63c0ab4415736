/** A token that is asked for once, however many requests wait for it, and again when it is about to end or was refused. */

import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";

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

/** Of several requests refused at once, the first to ask renews the token for all. */
const JUST_NOW_MS = 10_000;

/** `grant` asks for one; `earlyMs`: how long before its end another one is asked for. */
export function createAccessToken(
  grant: (signal: AbortSignal) => Promise<GrantedToken>,
  clock: Pick<Clock, "now">,
  earlyMs = 5 * 60_000,
): AccessToken {
  let granted: (GrantedToken & { readonly at: number }) | null = null;
  let underWay: Promise<string> | null = null;

  async function begin(signal: AbortSignal): Promise<string> {
    try {
      const one = await grant(signal);
      granted = { ...one, at: clock.now() };
      return one.token;
    } finally {
      underWay = null;
    }
  }

  /** Whoever began it may stop: then the next one begins anew. */
  async function ask(signal: AbortSignal): Promise<string> {
    for (;;) {
      underWay ??= begin(signal);
      try {
        return await underWay;
      } catch (thrown) {
        const isStopped = thrown instanceof PrickleError && thrown.code === "STOPPING";
        if (!isStopped || signal.aborted) throw thrown;
      }
    }
  }

  return {
    async current(signal) {
      const isGood = granted && (granted.endsAt === null || granted.endsAt - earlyMs > clock.now());
      return isGood && granted ? granted.token : ask(signal);
    },
    async renew(signal) {
      if (granted && clock.now() - granted.at < JUST_NOW_MS) return true;
      await ask(signal);
      return true;
    },
  };
}
