/** Runs one command line, and says on stderr and by the exit code what went wrong. */

import { CommanderError } from "commander";
import { ERRORS, PrickleError, toPrickleError } from "../core/errors.ts";
import { colorsFor } from "./invocation.ts";
import { createProgram } from "./program.ts";

/** Never rejects. Without arguments it shows the help. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  stopWritingQuietly();
  try {
    await createProgram().parseAsync(args.length === 0 ? ["--help"] : [...args], { from: "user" });
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return;
    const error = thrown instanceof CommanderError ? usageError(thrown) : toPrickleError(thrown);
    process.exitCode = error.exitCode;
    process.stderr.write(args.includes("--json") ? `${errorJson(error)}\n` : errorText(error));
  }
}

/** `prickle … | head` closes the pipe early: that is no failure. */
function stopWritingQuietly(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EPIPE") throw thrown;
      if (stream === process.stdout) process.exit(0);
    });
  }
}

/** Commander says "error: what. \n(Did you mean --x?)". */
function usageError({ message, code }: CommanderError): PrickleError {
  if (code === "commander.help") {
    return new PrickleError("USAGE", "A command is missing.", { hint: "It is one of those listed above." });
  }
  const [what = "", suggestion] = message.split("\n");
  const hint = /\((.+)\)/.exec(suggestion ?? "")?.[1];
  return new PrickleError("USAGE", what.replace(/^error: /, ""), {
    hint: `${hint === undefined ? "" : `${hint} `}\`prickle --help\` lists the commands, \`prickle COMMAND --help\` the options.`,
  });
}

function errorText(error: PrickleError): string {
  const paint = colorsFor(process.stderr);
  const lines = [`${paint.red("prickle:")} ${paint.bold(error.code)}: ${error.message}`];
  if (error.hint !== undefined) lines.push(paint.dim(error.hint));
  if (error.code === "INTERNAL") lines.push(...internals(error));
  return `${lines.join("\n")}\n`;
}

function internals(error: PrickleError): readonly string[] {
  const { cause } = error;
  const stack = cause instanceof Error ? cause.stack : error.stack;
  return [
    ...(stack === undefined ? [] : [stack]),
    "This is a fault of prickle itself: please report it with the lines above.",
  ];
}

function errorJson({ code, message, hint, retryable }: PrickleError): string {
  const { exitCode } = ERRORS[code];
  return JSON.stringify({ error: { code, message, hint: hint ?? null, retryable, exitCode } });
}
