/** A mapping with all it reads from outside, as plain data: so that another thread can compile it too. */

import { compileMapping } from "./compile.ts";
import { type Absent, type MappingEnvironment, type MappingSource, NO_ENVIRONMENT } from "./environment.ts";
import type { Mapping } from "./mapping.ts";

export interface PortableMapping {
  readonly source: Omit<MappingSource, "environment">;
  readonly answers: Answers;
}

/** What the environment was asked when the mapping was compiled, and what it said. */
interface Answers {
  readonly files: Map<string, { readonly text: string } | Absent>;
  readonly secrets: Map<string, string | null>;
  readonly presets: Map<string, Omit<MappingSource, "environment"> | Absent>;
}

/** @throws MAPPING_INVALID */
export function portableMapping({ environment = NO_ENVIRONMENT, ...source }: MappingSource): PortableMapping {
  const answers: Answers = { files: new Map(), secrets: new Map(), presets: new Map() };
  compileMapping({ ...source, environment: listening(environment, answers) });
  return { source, answers };
}

/** The same mapping, in whatever thread. */
export function compilePortable({ source, answers }: PortableMapping): Mapping {
  return compileMapping({ ...source, environment: answering(answers) });
}

function listening(environment: MappingEnvironment, { files, secrets, presets }: Answers): MappingEnvironment {
  return {
    readFile: (path, from) => noted(files, keyOf(path, from), environment.readFile(path, from)),
    secret: (name) => noted(secrets, name, environment.secret(name)),
    preset(name, from) {
      const found = environment.preset(name, from);
      if ("absent" in found) return noted(presets, keyOf(name, from), found);
      const { environment: around = NO_ENVIRONMENT, ...source } = found;
      presets.set(keyOf(name, from), source);
      return { ...source, environment: listening(around, { files, secrets, presets }) };
    },
  };
}

function answering(answers: Answers): MappingEnvironment {
  const { files, secrets, presets } = answers;
  const environment: MappingEnvironment = {
    readFile: (path, from) => files.get(keyOf(path, from)) ?? NO_ENVIRONMENT.readFile(path, from),
    secret: (name) => secrets.get(name) ?? null,
    preset(name, from) {
      const found = presets.get(keyOf(name, from)) ?? NO_ENVIRONMENT.preset(name, from);
      return "absent" in found ? found : { ...found, environment };
    },
  };
  return environment;
}

function noted<Answer>(answers: Map<string, Answer>, key: string, answer: Answer): Answer {
  answers.set(key, answer);
  return answer;
}

function keyOf(name: string, from: string): string {
  return `${from}\0${name}`;
}
