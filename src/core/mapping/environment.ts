/** What a mapping may need from outside: handed in, because core reads no files and no environment. */

export interface MappingSource {
  /** Name of the file without its ending. */
  readonly name: string;
  readonly text: string;
  /** As problems shall name it, and what its relative paths start from. */
  readonly file: string;
  /** Default: nothing can be had from outside. */
  readonly environment?: MappingEnvironment;
}

/** Why something is not there, in words such as `found no file plans.csv`. */
export interface Absent {
  readonly absent: string;
}

export interface MappingEnvironment {
  /** The text of a file; a relative path starts from the folder of the mapping `from`. */
  readFile(path: string, from: string): { readonly text: string } | Absent;
  /** The value of an environment variable; null when it is unset or empty. */
  secret(name: string): string | null;
  /** A shipped mapping by its name, or one by its path, which starts from the folder of the mapping `from`. */
  preset(nameOrPath: string, from: string): MappingSource | Absent;
}

export const NO_ENVIRONMENT: MappingEnvironment = {
  readFile: (path) => ({ absent: `found no file ${JSON.stringify(path)}: none can be read here` }),
  secret: () => null,
  preset: (name) => ({ absent: `found no mapping ${JSON.stringify(name)}: none can be read here` }),
};
