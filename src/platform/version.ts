/** prickle's own version, from its package. */

import { readFileSync } from "node:fs";

/** The package is found from src/platform as from dist/platform. */
const { version }: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);

export const VERSION = version;
