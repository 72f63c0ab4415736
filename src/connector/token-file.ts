/** A refresh token that may change with each use: the last one is kept in the data directory, for its owner's eyes only. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface TokenFile {
  /** The last one saved, else the configured one. */
  read(): string;
  save(token: string): Promise<void>;
}

/** Another configured token begins anew. */
export function openTokenFile(place: { readonly directory: string; readonly configured: string }): TokenFile {
  const { directory, configured } = place;
  const name = createHash("sha256").update(configured).digest("hex").slice(0, 16);
  const file = join(directory, `refresh-token-${name}`);
  return {
    read() {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return configured;
      }
    },
    async save(token) {
      await writeFile(`${file}.new`, token, { mode: 0o600, flush: true });
      await rename(`${file}.new`, file);
    },
  };
}
