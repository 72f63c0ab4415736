/** `prickle schemas`: the JSON Schemas by which editors complete and check prickle.yaml and mappings. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { configJsonSchema } from "../config.ts";
import { mappingJsonSchema } from "../core/mapping/json-schema.ts";
import { invocationOf } from "./invocation.ts";

export function schemasCommand(): Command {
  return new Command("schemas")
    .argument("[directory]", "where to put them", "schemas")
    .summary("write the JSON Schemas for editors")
    .description(
      "Writes prickle.schema.json and mapping.schema.json. An editor uses them by the first line of a file:\n" +
        "  # yaml-language-server: $schema=./schemas/prickle.schema.json",
    )
    .addHelpText("after", "\nExamples:\n  $ prickle schemas\n  $ prickle schemas .vscode")
    .action((directory: string, _options, command: Command) => {
      const { answer } = invocationOf(command);
      const files = schemaFiles().map(({ name, text }) => ({ path: resolve(directory, name), text }));
      mkdirSync(directory, { recursive: true });
      for (const { path, text } of files) writeFileSync(path, text);
      answer(
        files.map(({ path }) => path),
        () =>
          schemaFiles()
            .map(({ name }) => join(directory, name))
            .join("\n"),
      );
    });
}

export function schemaFiles(): readonly { readonly name: string; readonly text: string }[] {
  return [
    { name: "prickle.schema.json", text: textOf(configJsonSchema()) },
    { name: "mapping.schema.json", text: textOf(mappingJsonSchema()) },
  ];
}

function textOf(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
