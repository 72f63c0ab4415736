/** One line on stderr that says how far the sample is: rewritten in a terminal, told once elsewhere. */

export interface SampleProgress {
  sent(calls: number): void;
  waiting(depth: number): void;
  /** Takes the line away again. */
  done(): void;
}

export function createSampleProgress(total: number, stream: NodeJS.WriteStream = process.stderr): SampleProgress {
  const write = (text: string) => {
    if (stream.isTTY) stream.write(`\r\u001b[2K${text}`);
  };
  if (!stream.isTTY) stream.write(`Playing ${total.toLocaleString("en-US")} calls through the doors …\n`);
  return {
    sent: (calls) => write(`playing ${calls.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} calls`),
    waiting: (depth) => write(`delivering ${depth.toLocaleString("en-US")} messages`),
    done: () => write(""),
  };
}
