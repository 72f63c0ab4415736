/**
 * A process of its own that appends what `scripted-batches.ts` says to the engine's file given, batch after batch from
 * the one given, and prints the number of each that is confirmed. When one is refused it prints why and tries it again.
 */

import { openEngine } from "../../src/engine/open.ts";
import { appendMessages, silent } from "./messages.ts";
import { BATCHES, scriptedBatch } from "./scripted-batches.ts";

const [path = "", first = "0"] = process.argv.slice(2);
const engine = await openEngine({ path, logger: silent });
process.stdout.write("open\n");
for (let batch = Number(first); batch < BATCHES; ) {
  try {
    await appendMessages(engine, scriptedBatch(batch));
    process.stdout.write(`${batch++}\n`);
  } catch (thrown) {
    const { code, hint } = thrown as { code?: string; hint?: string };
    process.stdout.write(`refused ${code} ${hint}\n`);
  }
}
await engine.close();
process.stdout.write("closed\n");
