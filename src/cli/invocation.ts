/** What every command is given: the options all commands share, and how it answers. */

import type { Command } from "commander";
import pc from "picocolors";
import type { ConfigOptions } from "../config.ts";
import { PrickleError } from "../core/errors.ts";

export type Colors = ReturnType<typeof pc.createColors>;

interface GlobalOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

export interface Invocation<Options> {
  readonly options: Options;
  readonly configOptions: ConfigOptions;
  readonly json: boolean;
  /** One JSON value, or the text for people: whichever was asked for. */
  answer(value: unknown, text: (paint: Colors) => string): void;
}

export function invocationOf<Options extends object>(command: Command): Invocation<Options> {
  const options = command.optsWithGlobals<Options & GlobalOptions>();
  const json = options.json === true;
  return {
    options,
    configOptions: { path: options.config, cwd: process.cwd(), overrides: { dataDir: options.dataDir } },
    json,
    answer(value, text) {
      process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text(colorsFor(process.stdout)).trimEnd()}\n`);
    },
  };
}

/** Off when the stream is no terminal, whatever CI says, and with NO_COLOR. */
export function colorsFor(stream: NodeJS.WriteStream): Colors {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}

/** For commander: a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const upTo = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
    throw new PrickleError("USAGE", `found ${JSON.stringify(text)}; a whole number from ${least}${upTo} is allowed`);
  };
}

/** For commander: what one event costs, in whatever unit. */
export function price(text: string): number {
  const amount = Number(text);
  if (text.trim() !== "" && Number.isFinite(amount) && amount >= 0) return amount;
  throw new PrickleError("USAGE", `found ${JSON.stringify(text)}; a price is a number, such as 0.00005`);
}
