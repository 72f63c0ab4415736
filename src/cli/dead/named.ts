/** That what a command names is there: a typo must not look like a list without letters. */

import type { DeadLetterFilter } from "../../core/dead-letter.ts";
import { PrickleError } from "../../core/errors.ts";
import type { Operations } from "../../core/operations.ts";
import { pagesOf } from "./letters.ts";

type Asked = Pick<Operations, "status" | "listDeadLetters" | "countDeadLetters">;

const MOST_TOLD = 10;

/** @throws NOT_FOUND for ids of no letter, and for a destination that is neither fed nor has letters from when it was */
export async function requireNamed(operations: Asked, { destination, ids }: DeadLetterFilter): Promise<void> {
  if (destination !== undefined) await requireDestination(operations, destination);
  if (ids !== undefined) await requireLetters(operations, ids);
}

async function requireDestination(operations: Asked, name: string): Promise<void> {
  const names = (await operations.status()).destinations.map((one) => one.name);
  if (names.includes(name)) return;
  if ((await operations.countDeadLetters({ destination: name, limit: 1 })) > 0) return;
  throw new PrickleError("NOT_FOUND", `There is no destination "${name}"; there is ${names.join(", ") || "none"}.`);
}

async function requireLetters(operations: Asked, ids: readonly number[]): Promise<void> {
  const missing = new Set(ids);
  if ((await operations.countDeadLetters({ ids })) === missing.size) return;
  for await (const letters of pagesOf(operations, { ids })) for (const { id } of letters) missing.delete(id);
  if (missing.size > 0) throw noSuchLetters([...missing], new Set(ids).size > missing.size);
}

export function noSuchLetters(ids: readonly number[], areSomeThere = false): PrickleError {
  const more = ids.length > MOST_TOLD ? ` and ${ids.length - MOST_TOLD} more` : "";
  const told = `There is no dead letter ${ids.slice(0, MOST_TOLD).join(", ")}${more}.`;
  const hint = "`prickle dead list` has them.";
  return new PrickleError("NOT_FOUND", told, { hint: areSomeThere ? `${hint} Nothing was done to the others.` : hint });
}
