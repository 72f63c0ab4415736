/** `node samples/generate.ts` writes the sample anew. */

import { writeFile } from "node:fs/promises";
import { compressSample, generateSample } from "./sample.ts";

await writeFile(new URL("plankton.segment.jsonl.gz", import.meta.url), compressSample(generateSample()));
