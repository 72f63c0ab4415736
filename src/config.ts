/** The configuration: prickle.yaml and the environment, read and checked once. Nothing else reads the environment. */

import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { crossCheck } from "./config/cross-checks.ts";
import { type ConfigDocument, readDocument } from "./config/document.ts";
import { type Environment, substitute } from "./config/environment.ts";
import { type NamedMapping, placeGroupSlots } from "./config/group-slots.ts";
import { findingsOf } from "./config/issues.ts";
import { readMappingFile } from "./config/mapping-file.ts";
import { type ConfigProblem, type Finding, type Path, pathText, problemLine } from "./config/problem.ts";
import { type ConfigInput, configSchema, DEFAULT_DATA_DIR, type ParsedConfig } from "./config/schema.ts";
import type { Secret } from "./config/secret.ts";
import { type SourceConfig, sourceOf } from "./config/source-config.ts";
import { PrickleError } from "./core/errors.ts";
import { checkMapping, type MappingSource } from "./core/mapping/compile.ts";
import { parseSafely } from "./core/safe-parsing.ts";

export { placeGroupSlots } from "./config/group-slots.ts";
export { withMappingSource } from "./config/mapping-source.ts";
export { type ConfigProblem, type Finding, problemLine } from "./config/problem.ts";
export type { ConfigInput } from "./config/schema.ts";
export { configJsonSchema } from "./config/schema-node.ts";
export { createSecret, type Secret } from "./config/secret.ts";
export type { PullSourceConfig, SourceConfig } from "./config/source-config.ts";

const FILE_NAME = "prickle.yaml";
const CRMS: readonly string[] = ["hubspot", "salesforce", "pipedrive", "attio"];

/** Everything has its default filled in; paths are absolute. Secrets can be passed on and logged: they show as "[secret]". */
export interface Config {
  /** The file it came from; null without one. */
  readonly file: string | null;
  readonly dataDir: string;
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Null: one is to be made at each start. */
    readonly adminToken: Secret | null;
  };
  /** At least one. */
  readonly sources: readonly SourceConfig[];
  /** At least one; at most one engine. */
  readonly destinations: readonly DestinationConfig[];
  readonly ledger: ParsedConfig["ledger"];
  readonly delivery: { readonly retryHorizonMs: number; readonly leaseMs: number };
  readonly log: ParsedConfig["log"];
}

type ParsedDestination = ParsedConfig["destinations"][string];
export type DestinationConfig = Readonly<ParsedDestination> & { readonly name: string };

export interface ConfigOptions {
  /** The file; without it `prickle.yaml` in `cwd` if there is one, else the defaults. */
  readonly path?: string | undefined;
  /** Default: the environment of this process. */
  readonly env?: Environment;
  readonly cwd: string;
  /** From the command line: they win over the file. `dataDir` starts from `cwd`. */
  readonly overrides?: ConfigOverrides;
}

export interface ConfigOverrides {
  readonly dataDir?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

export interface CheckedConfig {
  /** Null when the configuration itself is wrong. */
  readonly config: Config | null;
  /** By line; those of the configuration first, then those of the mappings it names. */
  readonly problems: readonly ConfigProblem[];
}

/** @throws CONFIG_INVALID naming every problem of the configuration, with its place. Mappings are read, but checked where they are compiled. */
export function loadConfig(options: ConfigOptions): Config {
  return orThrow(examine(readFile(options), options));
}

export interface CheckedFile extends CheckedConfig {
  /** A warning about what is only found out later, placed in the file. */
  warningAt(finding: Finding): ConfigProblem;
}

/** Every problem of the configuration and of the mappings it names. Never throws. */
export function checkConfig(options: ConfigOptions): CheckedFile {
  const opened = readFile(options);
  const { config, problems, mappings } = examine(opened, options);
  const ofMappings = mappings.flatMap(({ mapping }) =>
    checkMapping(mapping).map(({ message, ...place }) => ({ ...place, found: message, allowed: "", hint: null })),
  );
  const isSound = ofMappings.every(({ severity }) => severity === "warning");
  const ofSlots = isSound ? placeGroupSlots(mappings).problems : [];
  const warningAt = (finding: Finding) => ({ ...problemOf(finding, opened), severity: "warning" as const });
  return { config, problems: [...problems, ...ofSlots, ...ofMappings], warningAt };
}

/**
 * A shipped mapping by its name, or one by its path from `cwd`, not yet compiled; it reads its files and secrets from there.
 * @throws NOT_FOUND if there is none.
 */
export function loadMapping(
  mapping: string,
  { env = process.env, cwd }: Pick<ConfigOptions, "env" | "cwd">,
): MappingSource {
  const places = { directory: cwd, display: (path: string) => display(path, cwd), cwd, env };
  const found = readMappingFile(mapping, [], places);
  if ("text" in found) return found;
  const hint = `${found.hint ?? ""} Allowed are ${found.allowed}.`.trim();
  throw new PrickleError("NOT_FOUND", `Found ${found.found}.`, { hint });
}

/**
 * A configuration given in code, checked like the file. Secrets come from `createSecret`, those of mappings from the environment.
 * @throws CONFIG_INVALID
 */
export function parseConfig(input: ConfigInput, { cwd }: Pick<ConfigOptions, "cwd">): Config {
  const document: ConfigDocument = { data: input, problems: [], place: () => ({ line: 1, column: 1 }) };
  const opened = { document, file: null, shown: "configuration", directory: cwd, problems: [] };
  return orThrow(examine(opened, { env: {}, mappingEnv: process.env, cwd }));
}

/**
 * The little that a command needs to ask a running server, also where the configuration is wrong or its secrets are
 * not set: those of its parts that can be made out, else their defaults. Never throws.
 */
export function peekConfig(options: ConfigOptions): { readonly dataDir: string; readonly sources: readonly string[] } {
  const { document, directory } = readFile(options);
  const { data } = substitute(document.data, options.env ?? process.env);
  const overridden = withOverrides(data, options.cwd, options.overrides ?? {});
  const { dataDir, sources } = isObject(overridden) ? overridden : {};
  return {
    dataDir: resolve(directory, typeof dataDir === "string" && dataDir !== "" ? dataDir : DEFAULT_DATA_DIR),
    sources: isObject(sources) ? Object.keys(sources) : ["segment"],
  };
}

interface OpenedFile {
  readonly document: ConfigDocument;
  readonly file: string | null;
  readonly shown: string;
  /** What paths in it start from. */
  readonly directory: string;
  readonly problems: readonly ConfigProblem[];
}

interface Examined extends CheckedConfig {
  readonly mappings: readonly NamedMapping[];
}

function orThrow({ config, problems }: CheckedConfig): Config {
  if (config) return config;
  const [first] = problems;
  const several = problems.length > 1 ? `${problems.length} problems:\n${problems.map(problemLine).join("\n")}` : null;
  throw new PrickleError("CONFIG_INVALID", several ?? (first ? problemLine(first) : "The configuration is wrong."), {
    hint: "`prickle check` prints every problem; `prickle check --json` for programs.",
  });
}

function readFile({ path, cwd }: ConfigOptions): OpenedFile {
  const file = resolve(cwd, path ?? FILE_NAME);
  const shown = display(file, cwd);
  try {
    const document = readDocument(readFileSync(file, "utf8"));
    const problems = document.problems.map((problem) => ({
      severity: "error" as const,
      hint: null,
      ...problem,
      file: shown,
      path: "",
    }));
    return { document, file, shown, directory: dirname(file), problems };
  } catch (thrown) {
    const isAbsent = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
    const document = readDocument("");
    if (isAbsent && path === undefined) return { document, file: null, shown, directory: cwd, problems: [] };
    const problem = {
      severity: "error" as const,
      file: shown,
      line: 1,
      column: 1,
      path: "",
      found: isAbsent ? "there is no such file" : "the file cannot be read",
      allowed: "",
      hint: "Name another with --config, or leave it out to use the defaults.",
    };
    return { document, file, shown, directory: dirname(file), problems: [problem] };
  }
}

interface ExamineOptions extends ConfigOptions {
  /** Where mappings find their secrets, if not in `env`. */
  readonly mappingEnv?: Environment;
}

function examine(
  opened: OpenedFile,
  { env = process.env, mappingEnv = env, cwd, overrides = {} }: ExamineOptions,
): Examined {
  if (opened.problems.length > 0) return { config: null, problems: opened.problems, mappings: [] };
  const { data, findings, fromEnvironment } = substitute(opened.document.data, env);
  const overridden = withOverrides(data, cwd, overrides);
  const parsed = parseSafely(configSchema, overridden);
  const isFromEnvironment = (at: Path) => fromEnvironment.has(JSON.stringify(at));
  const issues = parsed.success
    ? []
    : parsed.issues.flatMap((issue) => findingsOf(issue, { data: overridden, isFromEnvironment }));
  const places = { directory: opened.directory, display: (path: string) => display(path, cwd), cwd, env: mappingEnv };
  const mappings: NamedMapping[] = [];
  const missing: Finding[] = [];
  for (const { name, mapping, at } of mappingsNamed(overridden)) {
    const read = readMappingFile(mapping, at, places);
    if ("text" in read) mappings.push({ name, mapping: read });
    else missing.push(read);
  }
  const crossed = parsed.success ? crossCheck(parsed.data) : [];
  const problems = placed([...findings, ...issues, ...missing, ...crossed], opened);
  if (!parsed.success || problems.length > 0) return { config: null, problems, mappings };
  return { config: configOf(parsed.data, opened, mappings), problems, mappings };
}

/** One problem a place: the first says best what is wrong. */
function placed(findings: readonly Finding[], opened: OpenedFile): readonly ConfigProblem[] {
  const byPath = new Map<string, ConfigProblem>();
  for (const finding of findings) {
    const problem = problemOf(finding, opened);
    if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
  }
  return [...byPath.values()].sort((one, other) => one.line - other.line || one.column - other.column);
}

function problemOf(
  { at, atKey, found, allowed, hint = null }: Finding,
  { document, shown }: OpenedFile,
): ConfigProblem {
  const place = document.place(at, atKey);
  return { severity: "error", file: shown, ...place, path: pathText(at), found, allowed, hint };
}

function withOverrides(data: unknown, cwd: string, overrides: ConfigOverrides): unknown {
  const { dataDir, host, port } = overrides;
  if (!isObject(data)) return data;
  const server = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  const merged =
    Object.keys(server).length === 0 ? {} : { server: { ...(isObject(data.server) ? data.server : {}), ...server } };
  const where = dataDir === undefined ? {} : { dataDir: resolve(cwd, dataDir) };
  return { ...data, ...merged, ...where };
}

/** As far as they can be made out in a file that may be wrong elsewhere, in the order of the sources. */
function mappingsNamed(
  data: unknown,
): readonly { readonly name: string; readonly mapping: string; readonly at: Path }[] {
  const sources = isObject(data) && data.sources !== undefined ? data.sources : { segment: {} };
  if (!isObject(sources)) return [];
  return Object.entries(sources).flatMap(([name, source]) => {
    const mapping = isObject(source) ? (source.mapping ?? shippedMapping(source.type)) : null;
    return typeof mapping === "string" && mapping !== "" ? { name, mapping, at: ["sources", name, "mapping"] } : [];
  });
}

/** Named after the types whose mappings are shipped. */
function shippedMapping(type: unknown): string {
  return typeof type === "string" && CRMS.includes(type) ? type : "segment";
}

function configOf(parsed: ParsedConfig, { file, directory }: OpenedFile, mappings: readonly NamedMapping[]): Config {
  const { server, sources, destinations, ledger, delivery, log } = parsed;
  const names = Object.keys(sources);
  return {
    file,
    dataDir: resolve(directory, parsed.dataDir),
    server: { host: server.host, port: server.port, adminToken: server.adminToken ?? null },
    sources: names.flatMap((name, index) => {
      const [source, mapping] = [sources[name], mappings[index]?.mapping];
      return source && mapping ? sourceOf(name, source, mapping, { alone: names.length === 1, host: server.host }) : [];
    }),
    destinations: Object.entries(destinations).map(([name, destination]) => ({ name, ...destination })),
    ledger,
    delivery: { retryHorizonMs: delivery.retryHorizon, leaseMs: delivery.lease },
    log,
  };
}

function display(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === "" ? "." : short.startsWith("..") ? path : short;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
