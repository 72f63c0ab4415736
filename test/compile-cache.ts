/** Where what Node made of a source is kept, for the many threads and commands that tests start: it halves what a start takes. */

import { join } from "node:path";

export const COMPILE_CACHE = join(import.meta.dirname, "..", "node_modules", ".cache", "node");
