/** The engine, where something needs one. */

import { PrickleError } from "../core/errors.ts";
import type { Engine } from "../engine/open.ts";

export function requireEngine(engine: Engine | null): Engine {
  if (engine) return engine;
  throw new PrickleError("NOT_FOUND", "There is no engine: prickle.yaml names no destination of type engine.", {
    hint: "Add one under destinations, or ask PostHog.",
  });
}
