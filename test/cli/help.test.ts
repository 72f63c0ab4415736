/** Every command has help, with examples. */

import type { Command } from "commander";
import { expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";

function wordsOf(command: Command, before: readonly string[] = []): readonly (readonly string[])[] {
  return [before, ...command.commands.flatMap((inner) => wordsOf(inner, [...before, inner.name()]))];
}

function within(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(within)];
}

/** What the program writes, and with what code it would end. */
async function run(...words: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const program = createProgram();
  for (const command of within(program)) {
    command.configureOutput({ writeOut: (text) => void out.push(text), writeErr: (text) => void err.push(text) });
  }
  const thrown = await program.parseAsync(words, { from: "user" }).catch((reason: unknown) => reason);
  const exitCode = thrown instanceof Error && "exitCode" in thrown ? thrown.exitCode : null;
  return { out: out.join(""), err: err.join(""), exitCode };
}

it("there are as many commands as ever", () => {
  expect(wordsOf(createProgram()).length).toBeGreaterThan(25);
});

it.each(wordsOf(createProgram()).map((words) => [["prickle", ...words].join(" "), words] as const))(
  "%s --help",
  async (name, words) => {
    const { out, err, exitCode } = await run(...words, "--help");
    const usage = `Usage: ${name}`;
    expect({ exitCode, err, usage: out.slice(0, usage.length) }).toEqual({ exitCode: 0, err: "", usage });
    expect(out).toMatch(/Examples?:\n {2}\$ prickle /);
  },
);
