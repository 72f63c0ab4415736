/** What no single value shows: doors open to everybody, keys in two places, two engines on one file. */

import type { Finding, Path } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";

type Sources = ParsedConfig["sources"];

/** 127.0.0.0/8, ::1 and localhost: nobody else's machine reaches them. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

export function crossCheck({ server, sources, destinations }: ParsedConfig): readonly Finding[] {
  return [
    ...unguardedSources(server.host, sources),
    ...sharedWriteKeys(sources),
    ...secondEngines(destinations),
    ...halfProjects(destinations),
    ...keylessSources(sources),
  ];
}

function unguardedSources(host: string, sources: Sources): readonly Finding[] {
  if (isLoopback(host)) return [];
  return called(sources).flatMap(([name, { writeKeys, webhook }]) => {
    if (writeKeys || webhook?.secrets || webhook?.bearer) return [];
    return {
      at: ["sources", name],
      atKey: true,
      found: `a source that anybody may call, since the server listens on ${host}`,
      allowed: "writeKeys, webhook.secrets or webhook.bearer; without them only a loopback host such as 127.0.0.1",
      hint: "A door without credentials stays closed on other hosts.",
    };
  });
}

/** Those that call prickle. */
function called(sources: Sources) {
  return Object.entries(sources).flatMap(([name, source]) =>
    source.type === "segment" ? [[name, source] as const] : [],
  );
}

function sharedWriteKeys(sources: Sources): readonly Finding[] {
  const owners = new Map<string, string>();
  return called(sources).flatMap(([name, { writeKeys = [] }]) =>
    writeKeys.flatMap((key, index) => {
      const owner = owners.get(key.reveal());
      owners.set(key.reveal(), owner ?? name);
      if (owner === undefined || owner === name) return [];
      const at: Path = ["sources", name, "writeKeys", index];
      return {
        at,
        found: `a write key that source ${owner} has too (not shown)`,
        allowed: "keys of its own: the key alone tells where a call belongs",
      };
    }),
  );
}

function secondEngines(destinations: ParsedConfig["destinations"]): readonly Finding[] {
  const engines = Object.entries(destinations).filter(([, { type }]) => type === "engine");
  return engines.slice(1).map(([name]) => ({
    at: ["destinations", name],
    atKey: true,
    found: `a second engine, beside ${engines[0]?.[0]}`,
    allowed: "one: there is one engine in a data directory",
  }));
}

/** The key alone does not say of which project, the project alone opens nothing. */
function halfProjects(destinations: ParsedConfig["destinations"]): readonly Finding[] {
  return Object.entries(destinations).flatMap(([name, destination]) => {
    if (destination.type !== "posthog") return [];
    const { personalApiKey, projectId } = destination;
    if ((personalApiKey === undefined) === (projectId === undefined)) return [];
    const [there, missing] =
      projectId === undefined ? ["personalApiKey", "projectId"] : ["projectId", "personalApiKey"];
    return { at: ["destinations", name, there], found: `${there} without ${missing}`, allowed: "both, or neither" };
  });
}

/** Of each type of source the two ways to say who asks. */
const CREDENTIALS = {
  hubspot: { ways: ["accessToken", "oauth"], hint: "accessToken is for a service key" },
  salesforce: { ways: ["clientSecret", "jwt"], hint: "clientSecret is for the client credentials flow" },
  pipedrive: { ways: ["apiToken", "accessToken"], hint: "apiToken is a user's own" },
} as const;

function keylessSources(sources: Sources): readonly Finding[] {
  return Object.entries(sources).flatMap(([name, source]) => {
    if (!(source.type in CREDENTIALS)) return [];
    const { ways, hint } = CREDENTIALS[source.type as keyof typeof CREDENTIALS]; // Looked up in the line before.
    const given = new Map<string, unknown>(Object.entries(source));
    const there = ways.filter((way) => given.get(way) !== undefined);
    if (there.length === 1) return [];
    const found = there.length === 0 ? `neither ${ways.join(" nor ")}` : `both ${ways.join(" and ")}`;
    return { at: ["sources", name], atKey: true, found, allowed: `one of them: ${hint}` };
  });
}
