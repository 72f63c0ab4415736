import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ConfigProblem,
  checkConfig,
  createSecret,
  loadConfig,
  loadMapping,
  parseConfig,
  peekConfig,
  problemLine,
} from "../src/config.ts";
import { PrickleError } from "../src/core/errors.ts";
import { compileMapping } from "../src/core/mapping/compile.ts";

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "prickle-config-"));
});

afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function write(text: string, name = "prickle.yaml"): void {
  writeFileSync(join(cwd, name), text);
}

function problemsOf(text: string, env: Record<string, string> = {}): readonly ConfigProblem[] {
  write(text);
  return checkConfig({ env, cwd }).problems;
}

function load(text: string, env: Record<string, string> = {}) {
  write(text);
  return loadConfig({ env, cwd });
}

const REFERENCE = (name: string) => `"\${${name}}"`;

describe("a configuration", () => {
  it("without a file is one open source and the engine, on this machine only", () => {
    const config = loadConfig({ env: {}, cwd });
    expect(config).toMatchObject({
      file: null,
      dataDir: join(cwd, ".prickle"),
      server: { host: "127.0.0.1", port: 4700 },
    });
    expect(config.sources).toMatchObject([
      { name: "segment", anyWriteKey: true, webhook: { secrets: [], bearer: null } },
    ]);
    expect(config.sources[0]?.mapping).toMatchObject({ name: "segment", text: expect.stringContaining("groupTypes:") });
    expect(config.destinations).toEqual([{ name: "engine", type: "engine" }]);
    expect(config.delivery).toEqual({ retryHorizonMs: 72 * 3_600_000, leaseMs: 120_000 });
  });

  it("takes an empty file for no file, and a file of comments too", () => {
    expect(load("").destinations).toEqual([{ name: "engine", type: "engine" }]);
    expect(load("# nothing yet\n").destinations).toEqual([{ name: "engine", type: "engine" }]);
  });

  it("is as the shipped example says, which shows every key", () => {
    const env = { SEGMENT_WRITE_KEY: "wk", SEGMENT_WEBHOOK_SECRET: "ws", POSTHOG_PROJECT_TOKEN: "phc" };
    const config = load(readFileSync(new URL("../prickle.example.yaml", import.meta.url), "utf8"), env);
    const posthog = config.destinations.find(({ type }) => type === "posthog");
    const { name: _, ...defaults } = parseConfig(
      { destinations: { p: { type: "posthog", host: "https://eu.i.posthog.com", token: createSecret("phc") } } },
      { cwd },
    ).destinations[0] ?? { name: "" };
    expect(Object.keys(posthog ?? {}).sort()).toEqual(["name", ...Object.keys(defaults)].sort());
    const history = { historicalMigration: true, historical: { messagesPerSecond: 1000 } };
    expect(posthog).toMatchObject(history);
    expect(defaults).toMatchObject(history);
    const told = { type: "posthog", host: "https://eu.i.posthog.com", token: createSecret("phc") } as const;
    const paced = { ...told, historical: { requestsPerSecond: 5 } };
    expect(parseConfig({ destinations: { p: paced } }, { cwd }).destinations[0]).toMatchObject({
      historical: { messagesPerSecond: 1000, requestsPerSecond: 5 },
    });
    const [source] = config.sources;
    const secrets = source?.type === "segment" ? source.webhook?.secrets : [];
    expect(secrets?.map((secret) => secret.reveal())).toEqual(["ws"]);
  });

  it("starts paths of the file from the file, and those of the command line from the working directory", () => {
    write("groupTypes: [team]\nrules: [{name: none, reject: {reason: no_rule, detail: none}}]\n", "own.yaml");
    write("dataDir: data\nsources: {s: {type: segment, mapping: ./own.yaml}}\n", "other.yaml");
    const config = loadConfig({ path: join(cwd, "other.yaml"), env: {}, cwd: tmpdir() });
    expect(config.dataDir).toBe(join(cwd, "data"));
    expect(config.sources[0]?.mapping.name).toBe("own");
    const overridden = loadConfig({
      path: join(cwd, "other.yaml"),
      env: {},
      cwd: tmpdir(),
      overrides: { dataDir: "x", port: 0 },
    });
    expect(overridden.dataDir).toBe(join(tmpdir(), "x"));
    expect(overridden.server.port).toBe(0);
  });

  it("takes values of any kind from the environment", () => {
    const text = `server: {port: ${REFERENCE("PORT")}}\ndestinations: {p: {type: posthog, host: "https://\${HOST}/x", token: ${REFERENCE("TOKEN")}}}`;
    const config = load(text, { PORT: "8080", HOST: "ph.example", TOKEN: "phc_1" });
    expect(config.server.port).toBe(8080);
    expect(config.destinations[0]).toMatchObject({ host: "https://ph.example/x" });
  });

  it("opens a door without credentials only to this machine", () => {
    const key = load("server: {host: 0.0.0.0}\nsources: {s: {type: segment, writeKeys: [wk]}}");
    expect(key.sources[0]).toMatchObject({ anyWriteKey: false, webhook: null });
    const [problem] = problemsOf("server:\n  host: 0.0.0.0\nsources:\n  s:\n    type: segment\n");
    expect(problem).toMatchObject({ line: 4, column: 3, path: "sources.s", found: expect.stringContaining("0.0.0.0") });
    expect(problemsOf("sources: {s: {type: segment}}")).toEqual([]);
  });

  it("given in code is checked like the file", () => {
    const bad = { destinations: { a: { type: "engine" as const }, b: { type: "engine" as const } } };
    expect(() => parseConfig(bad, { cwd })).toThrow(/second engine/);
    expect(parseConfig({ sources: { s: { type: "segment", writeKeys: ["k"] } } }, { cwd }).sources[0]).toMatchObject({
      anyWriteKey: false,
    });
  });
});

describe("a wrong configuration", () => {
  it("is told in one go: each problem with line, column, path, what was found and what is allowed", () => {
    const problems = problemsOf(
      [
        "dataDirr: x", // 1
        "server:", // 2
        "  port: 70000", // 3
        "sources:", // 4
        "  a b: {type: segment}", // 5
        "  x: {type: segmnt}", // 6
        "destinations:", // 7
        "  p:", // 8
        "    type: posthog", // 9
        "    host: ftp://u:p@x", // 10
        "delivery: {lease: 1x}", // 11
        "log: {level: wran}", // 12
      ].join("\n"),
    );
    expect(problems.map(({ line, column, path }) => [line, column, path])).toEqual([
      [1, 1, "dataDirr"],
      [3, 9, "server.port"],
      [5, 3, "sources.a b"],
      [6, 13, "sources.x.type"],
      [9, 5, "destinations.p.token"],
      [10, 11, "destinations.p.host"],
      [11, 19, "delivery.lease"],
      [12, 14, "log.level"],
    ]);
    expect(problems.map(({ hint }) => hint)).toEqual([
      "Did you mean dataDir?",
      null,
      null,
      "Did you mean segment?",
      null,
      null,
      null,
      "Did you mean warn?",
    ]);
    expect(problemLine(problems[1] as ConfigProblem)).toBe(
      "prickle.yaml:3:9 server.port: found 70000; allowed: a whole number from 0 (any free port) to 65535",
    );
    expect(JSON.stringify(problems)).not.toContain("u:p@");
  });

  it("names the allowed keys of the very place, of its own type", () => {
    const [problem] = problemsOf("destinations:\n  p:\n    type: engine\n    token: x\n");
    expect(problem).toMatchObject({ line: 4, path: "destinations.p.token", allowed: "type" });
  });

  it("names the variable that is not set, and where it is used", () => {
    const [problem] = problemsOf(
      `destinations:\n  p:\n    type: posthog\n    host: https://x.example\n    token: ${REFERENCE("NOPE")}\n`,
    );
    expect(problem).toMatchObject({ line: 5, column: 12, path: "destinations.p.token" });
    expect(problem?.found).toContain("NOPE is not set");
    expect(problemsOf(`dataDir: ${REFERENCE("EMPTY")}`, { EMPTY: "" })[0]?.found).toContain("EMPTY is empty");
  });

  it("refuses defaults and half secrets, since those would stand in the file", () => {
    for (const token of ['"${TOKEN:-phc_hidden}"', '"phc_${TOKEN}hidden"', "phc_hidden", '"${TOKEN hidden"']) {
      const problems = problemsOf(`destinations: {p: {type: posthog, host: https://x.example, token: ${token}}}`, {
        TOKEN: "a",
      });
      expect(problems).toMatchObject([{ path: "destinations.p.token" }]);
      expect(JSON.stringify(problems)).not.toContain("hidden");
    }
  });

  it("places problems of a mapping in the mapping's own file", () => {
    write("groupTypes: [team]\nrules:\n  - name: x\n    wen: 1\n", "own.yaml");
    const [problem] = problemsOf("sources: {s: {type: segment, mapping: ./own.yaml}}");
    expect(problem).toMatchObject({
      file: "own.yaml",
      line: 4,
      path: "rules[0].wen",
      found: expect.stringContaining('Did you mean "when"'),
    });
  });

  it("lets a mapping read what it names, from where the mapping stands and from the environment", () => {
    mkdirSync(join(cwd, "mappings"));
    const key = `{ "@hash": { value: { "@lookup": { value: { "@path": $.groupId }, file: keys.csv, from: a, to: b } }, key: ${REFERENCE("HASH_KEY")} } }`;
    write(`extends: segment\nrules: [{ name: group, groupIdentify: { groupKey: ${key} } }]\n`, "mappings/base.yaml");
    write("extends: ./base.yaml\n", "mappings/own.yaml");
    write("a,b\n1,acme\n", "mappings/keys.csv");
    const text = "sources: {s: {type: segment, mapping: mappings/own.yaml}}";
    expect(problemsOf(text, { HASH_KEY: "k" })).toEqual([]);
    expect(problemsOf(text)).toMatchObject([
      { file: "mappings/base.yaml", severity: "error", found: "the environment variable HASH_KEY is not set" },
    ]);
    const { groupTypes } = compileMapping(loadMapping("mappings/own.yaml", { cwd, env: { HASH_KEY: "k" } }));
    expect(groupTypes).toEqual(["company", "project"]);
    rmSync(join(cwd, "mappings/keys.csv"));
    expect(problemsOf(text, { HASH_KEY: "k" })).toMatchObject([
      { found: expect.stringContaining("mappings/keys.csv") },
    ]);
    write("extends: ./nowhere.yaml\n", "mappings/own.yaml");
    expect(problemsOf(text)).toMatchObject([
      {
        file: "mappings/own.yaml",
        line: 1,
        path: "extends",
        found: expect.stringContaining("mappings/nowhere.yaml is not there"),
      },
    ]);
    expect(() => loadMapping("segmnt", { cwd })).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
  });

  it("is sound with warnings only, and says them", () => {
    write("groupTypes: [a, b]\nrules: [{name: r, groupIdentify: {groupType: a, groupKey: k}}]\n", "own.yaml");
    write("sources: {s: {type: segment, mapping: ./own.yaml}}");
    const { config, problems } = checkConfig({ env: {}, cwd });
    expect(config).not.toBeNull();
    expect(problems).toMatchObject([{ severity: "warning", file: "own.yaml", path: "groupTypes[1]" }]);
    expect(problems.map(problemLine)).toEqual([
      expect.stringMatching(/^own\.yaml:1:\d+ groupTypes\[1\]: warning: no rule/),
    ]);
  });

  it("says which mappings there are, or where it looked", () => {
    const [shipped] = problemsOf("sources: {s: {type: segment, mapping: segmen}}");
    expect(shipped).toMatchObject({ path: "sources.s.mapping", hint: "Did you mean segment?" });
    const [own] = problemsOf("sources: {s: {type: segment, mapping: ./nowhere.yaml}}");
    expect(own?.found).toBe("nowhere.yaml is not there");
  });

  it("has more group types over all mappings than PostHog takes", () => {
    for (const name of ["a", "b"]) {
      const types = [1, 2, 3].map((number) => name + number).join(", ");
      write(`groupTypes: [${types}]\nrules: [{name: none, reject: {reason: no_rule, detail: none}}]\n`, `${name}.yaml`);
    }
    const [problem] = problemsOf(
      "sources:\n  a: {type: segment, mapping: ./a.yaml, writeKeys: [a]}\n  b: {type: segment, mapping: ./b.yaml, writeKeys: [b]}\n",
    );
    expect(problem).toMatchObject({
      file: "b.yaml",
      line: 1,
      path: "groupTypes",
      found: 'group type "b3" of source b: one too many, PostHog takes 5',
      allowed: expect.stringContaining('4 "b2" (b)'),
    });
  });

  it("names a group type almost as another mapping does, which is said where it is written", () => {
    write("groupTypes: [company]\nrules: [{name: none, reject: {reason: no_rule, detail: none}}]\n", "a.yaml");
    write("extends: ./a.yaml\naddGroupTypes:\n  - team\n  - companies\n", "b.yaml");
    const sources =
      "sources: {a: {type: segment, mapping: ./a.yaml, writeKeys: [a]}, b: {type: segment, mapping: ./b.yaml, writeKeys: [b]}}";
    const problems = problemsOf(sources).filter(({ severity }) => severity === "error");
    expect(problems.map(problemLine)).toEqual([
      'b.yaml:4:1 groupTypes: group type "companies" of source b: differs only by plural and singular from "company" (a, b); ' +
        'allowed: 5 group types, each under one name; they are 0 "company" (a, b), 1 "team" (b). ' +
        "Use one name where the same is meant, and leave out the types you need least.",
    ]);
  });

  it("says of a PostHog project which, but not who may ask, or the other way round", () => {
    const posthog = (more: string) =>
      `destinations:\n  p:\n    type: posthog\n    host: https://x.example\n    token: ${REFERENCE("T")}\n    ${more}\n`;
    const env = { T: "phc_1", KEY: "phx_hidden" };
    expect(problemsOf(posthog("projectId: 7"), env)).toMatchObject([
      { line: 6, path: "destinations.p.projectId", found: "projectId without personalApiKey" },
    ]);
    const half = problemsOf(posthog(`personalApiKey: ${REFERENCE("KEY")}`), env);
    expect(half).toMatchObject([{ path: "destinations.p.personalApiKey", found: "personalApiKey without projectId" }]);
    expect(JSON.stringify(half)).not.toContain("hidden");
    expect(problemsOf(posthog(`personalApiKey: ${REFERENCE("KEY")}\n    projectId: 7`), env)).toEqual([]);
    expect(
      problemsOf(posthog("personalApiKey: phx_hidden\n    projectId: x\n    apiHost: ftp://y"), env),
    ).toMatchObject([
      { path: "destinations.p.personalApiKey", found: "a secret written out (not shown)" },
      { path: "destinations.p.projectId" },
      { path: "destinations.p.apiHost" },
    ]);
  });

  it("has a write key twice", () => {
    const problems = problemsOf(
      "sources:\n  a: {type: segment, writeKeys: [same]}\n  b: {type: segment, writeKeys: [same]}\n",
    );
    expect(problems).toMatchObject([{ line: 3, path: "sources.b.writeKeys[0]" }]);
    expect(JSON.stringify(problems)).not.toContain("same");
  });

  it("that is no YAML is placed, and a reference without quotes explained", () => {
    const [problem] = problemsOf("sources:\n  s: {type: segment, writeKeys: [${KEY}]}\n");
    expect(problem).toMatchObject({ file: "prickle.yaml", line: 2, hint: expect.stringContaining("quotes") });
    expect(problemsOf("a: [1")[0]?.found).toContain("unreadable YAML");
    expect(problemsOf("- a\n- b\n")[0]).toMatchObject({ path: "", found: "found a list of 2" });
  });

  it("stops loading with CONFIG_INVALID, every problem in it, and a named file must be there", () => {
    write("log: {level: loud}\nledger: {seenDays: 1}\n");
    const thrown = caught(() => loadConfig({ env: {}, cwd }));
    expect(thrown.code).toBe("CONFIG_INVALID");
    expect(thrown.message).toContain("prickle.yaml:1:14 log.level");
    expect(thrown.message).toContain("prickle.yaml:2:20 ledger.seenDays");
    expect(caught(() => loadConfig({ path: "nowhere.yaml", env: {}, cwd })).message).toContain("there is no such file");
  });

  it("still tells where the data is, for commands that only ask a running server", () => {
    write(`dataDir: data\nsources: {x: {type: segment, writeKeys: [${REFERENCE("UNSET")}]}}\nfoo: 1\n`);
    expect(peekConfig({ env: {}, cwd })).toEqual({ dataDir: join(cwd, "data"), sources: ["x"] });
    write("a: [");
    expect(peekConfig({ env: {}, cwd }).dataDir).toBe(join(cwd, ".prickle"));
  });
});

function caught(run: () => unknown): PrickleError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PrickleError) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown.");
}
