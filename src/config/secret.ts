/** A value that cannot be printed by accident: logs, errors, JSON and inspect show "[secret]". */

import { inspect } from "node:util";

export interface Secret {
  /** The value itself: call it only where the value is used. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

const SHOWN = "[secret]";
const values = new WeakMap<object, string>();

/** The value lives outside the object, so that no way of looking at the object finds it. */
export function createSecret(value: string): Secret {
  const secret: Secret = Object.freeze({
    reveal: () => values.get(secret) ?? "",
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  });
  values.set(secret, value);
  return secret;
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && values.has(value);
}
