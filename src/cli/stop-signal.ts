/** Ctrl-C and SIGTERM: the first asks to stop, the second ends the process at once. */

import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export function stopSignal(onStop: () => void = () => {}): AbortSignal {
  const stop = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
      stop.abort();
      onStop();
    });
  }
  return stop.signal;
}
