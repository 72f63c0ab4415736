/** Engines in directories of their own, all closed and removed when the test is over. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Engine, type EngineOptions, openEngine } from "../../src/engine/open.ts";
import { silent } from "./messages.ts";

export function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "prickle-engine-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "engine.duckdb");
}

export async function openTemporary(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ path: ":memory:", logger: silent, ...options });
  onTestFinished(() => engine.close());
  return engine;
}
