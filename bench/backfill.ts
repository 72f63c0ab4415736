/** A gzip JSON-lines file into the ledger, against gunzip + split + JSON.parse on one thread. Memory must stay flat. */

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Benchmark, interleave, median, short } from "./benchmark.ts";
import { runToEnd } from "./process.ts";
import { writeRawLog } from "./raw-log-file.ts";

export interface FileResult {
  readonly lines: number;
  readonly tookMs: number;
  readonly peakMegabytes: number;
}

const MILLION = 1_000_000;

export const backfill: Benchmark = {
  name: "backfill",
  about: "A gzip raw log of a million lines into the ledger, against gunzip + split + JSON.parse; then three million.",

  async run({ quick, scratch, log }) {
    const lines = quick ? 20_000 : MILLION;
    const path = join(scratch, "short.jsonl.gz");
    const longPath = join(scratch, "long.jsonl.gz");
    log(`writing files of ${short(lines)} and ${short(3 * lines)} lines`);
    await writeRawLog(path, lines);
    await writeRawLog(longPath, 3 * lines);
    const read = async (file: string) => {
      const dataDir = await mkdtemp(join(scratch, "data-"));
      const result = await runToEnd<FileResult>("peers/backfill.ts", { input: { path: file, dataDir } });
      await rm(dataDir, { recursive: true, force: true });
      return result;
    };
    const rounds = await interleave(quick ? 1 : 3, {
      parse: () => runToEnd<FileResult>("peers/gunzip-parse.ts", { input: { path } }),
      prickle: () => read(path),
    });
    for (const { parse, prickle } of rounds) log(`parse ${told(parse)}; prickle ${told(prickle)}`);
    const long = await read(longPath);
    log(`three times as long: prickle ${told(long)}`);
    const peakOfShort = median(rounds.map(({ prickle }) => prickle.peakMegabytes));
    return [
      {
        kind: "measured",
        what: "lines/s, of gunzip + split + JSON.parse",
        value: median(rounds.map(({ parse, prickle }) => rate(prickle) / rate(parse))),
        unit: "x",
        goal: { atLeast: 0.5 },
        note: `${short(median(rounds.map(({ prickle }) => rate(prickle))))}/s of ${short(median(rounds.map(({ parse }) => rate(parse))))}/s`,
      },
      {
        kind: "measured",
        what: "peak memory, the longer file",
        value: long.peakMegabytes,
        unit: "MB",
        goal: { atMost: 300 },
        note: `${peakOfShort.toFixed(0)} MB at a third of the length; ${short(rate(long))} lines/s`,
      },
    ];
  },
};

function rate({ lines, tookMs }: FileResult): number {
  return lines / (tookMs / 1000);
}

function told(result: FileResult): string {
  return `${short(rate(result))} lines/s, ${result.peakMegabytes.toFixed(0)} MB`;
}
