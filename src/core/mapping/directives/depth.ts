/** How deep a value nests: what directives make of a text must not outgrow the stack of whoever writes it later. */

import type { JsonValue } from "../../json.ts";

/** JSON.parse takes any depth; JSON.stringify and every walk over a value do not. */
export const DEEPEST_VALUE = 100;

/** Its own recursion ends there too. */
export function isDeeperThan(levels: number, value: JsonValue | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}
