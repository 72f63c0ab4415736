/** Write keys: how a request to the tracking API says which source it is for. Source: facts on Segment, 2.1. */

import { PrickleError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";

export interface KeyedSource {
  readonly name: string;
  readonly writeKeys: readonly string[];
  /** Calls with whatever key, or none, are its own, unless another source has the key. At most one source says so. */
  readonly anyWriteKey?: boolean;
}

type SourceOf = (authorization: string | undefined, body: JsonObject) => string;

/**
 * Gives the source of a request by the first known key among: the user name of Basic, `writeKey` in the body, the
 * Bearer token. Keys are looked up plainly: browsers show them to everybody, so they are names rather than secrets.
 * @throws CONFIG_INVALID when two sources share a key; the function it gives throws UNAUTHORIZED.
 */
export function createWriteKeys(sources: readonly KeyedSource[]): SourceOf {
  const sourceByKey = indexKeys(sources);
  const openSource = sources.find(({ anyWriteKey }) => anyWriteKey)?.name;
  /** By headers that named a known key: the same few come with every call. */
  const remembered = new Map<string, string>();

  function sourceOfBasic(authorization: string): string | undefined {
    const known = remembered.get(authorization);
    if (known !== undefined) return known;
    const source = sourceByKey.get(basicUser(authorization) ?? "");
    if (source !== undefined && remembered.size < MOST_REMEMBERED) remembered.set(authorization, source);
    return source;
  }

  return (authorization, { writeKey }) => {
    const byBasic = authorization === undefined ? undefined : sourceOfBasic(authorization);
    if (byBasic !== undefined) return byBasic;
    const given = [
      basicUser(authorization),
      typeof writeKey === "string" ? writeKey : null,
      bearerToken(authorization),
    ];
    for (const key of given) {
      const source = key === null ? undefined : sourceByKey.get(key);
      if (source !== undefined) return source;
    }
    if (openSource !== undefined) return openSource;
    const message = given.some((key) => key !== null) ? "The write key is not known." : "The request has no write key.";
    throw new PrickleError("UNAUTHORIZED", message, {
      hint: "Give the client one of the write keys of a source in prickle.yaml.",
    });
  };
}

const MOST_REMEMBERED = 1_000;

function indexKeys(sources: readonly KeyedSource[]): ReadonlyMap<string, string> {
  const sourceByKey = new Map<string, string>();
  for (const { name, writeKeys } of sources) {
    for (const key of writeKeys) {
      const other = sourceByKey.get(key);
      if (other !== undefined && other !== name) {
        throw new PrickleError("CONFIG_INVALID", `The sources "${other}" and "${name}" share a write key.`, {
          hint: "Give each source its own: the key alone tells where a call belongs.",
        });
      }
      sourceByKey.set(key, name);
    }
  }
  return sourceByKey;
}

/** `base64("<writeKey>:")`; some clients leave the colon out. */
function basicUser(authorization: string | undefined): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/_=-]+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return null;
  return Buffer.from(encoded, "base64").toString().split(":", 1)[0] ?? null;
}

function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? null;
}
