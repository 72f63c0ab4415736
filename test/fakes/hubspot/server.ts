/** HubSpot on loopback: it answers as the facts say, refuses what the real one refuses, and fails as it is told. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, type Asked, ok, refusal, unknownIn } from "./answer.ts";
import { createFakeExports, type FakeExports } from "./exports.ts";
import { startFileHost } from "./file-host.ts";
import { createLimits, type LimitSettings, type Limits } from "./limits.ts";
import { batchReadCompanies, batchReadContacts, listCompanies, readAssociations } from "./objects.ts";
import { type SearchSettings, searchCompanies } from "./search.ts";
import { createHubspotStore, type HubspotStore } from "./store.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/** `cut`: the connection ends in the middle of the body. `hang`: no answer. */
export type Interference = Answer | "cut" | "hang" | null;

export interface HubspotSettings extends LimitSettings, SearchSettings {
  /** Called before each request is answered. */
  interfere: (asked: Asked, count: number) => Interference;
  /** Batch reads of a company merged away give the one that it became. */
  followsMerges: boolean;
  associationPageRows: number;
  timeZone: string;
  /** Scopes that the credentials lack. */
  readonly missingScopes: Set<string>;
  /** How far its clock is ahead of the other one. */
  skewMs: number;
  /** Time that each request takes. */
  latencyMs: number;
}

export interface FakeHubspot extends AsyncDisposable {
  readonly url: string;
  readonly store: HubspotStore;
  readonly settings: HubspotSettings;
  readonly limits: Limits;
  readonly tokens: Tokens;
  readonly exports: FakeExports;
  /** Paths of files asked for, which lie elsewhere. */
  readonly downloads: readonly string[];
  /** Method and path, with its query. */
  readonly requests: string[];
  now(): number;
}

export interface FakeHubspotOptions {
  readonly now: () => number;
  readonly pass?: (ms: number) => void;
  readonly firstId?: number;
}

const VERSION = "2026-09";
const MOST_URL = 16_200;
const SCOPES: readonly (readonly [path: string, scope: string])[] = [
  ["/crm/objects/2026-09/companies", "crm.objects.companies.read"],
  ["/crm/objects/2026-09/contacts", "crm.objects.contacts.read"],
  ["/crm/associations/", "crm.objects.contacts.read"],
  ["/crm/exports/", "crm.export"],
  ["/crm/properties/", "crm.schemas.companies.read"],
  ["/crm/owners/", "crm.objects.owners.read"],
];

export async function startFakeHubspot({ now: clock, pass, firstId }: FakeHubspotOptions): Promise<FakeHubspot> {
  const settings = defaultSettings();
  const now = () => clock() + settings.skewMs;
  const store = createHubspotStore(now, firstId === undefined ? {} : { firstId });
  const limits = createLimits(settings, now);
  const tokens = createTokens(now);
  const requests: string[] = [];
  const files = await startFileHost(() => exports);
  const exports = createFakeExports(store, now, () => files.url);

  function answerTo(asked: Asked, authorization: string | undefined, urlLength: number): Answer {
    if (urlLength > MOST_URL) return { status: 414, body: "<html><body>414 Request-URI Too Large</body></html>" };
    if (asked.path === `/oauth/${VERSION}/token`) return tokens.refresh(new URLSearchParams(String(asked.body.form)));
    const kind = tokens.isTaken(authorization);
    if (!kind) return refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or expired.");
    const isSearch = asked.path.endsWith("/search");
    const limited = limits.check(isSearch);
    const refused = limited ?? lackingScope(asked.path, settings);
    const answer = refused ?? exports.answer(asked) ?? route(asked, { store, settings, now: now() });
    return { ...answer, headers: { ...limits.headers(isSearch, kind === "oauth"), ...answer.headers } };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    const body = await textOf(request);
    requests.push(`${request.method} ${url}`);
    pass?.(settings.latencyMs);
    const asked = readAsked(request, url, body);
    const interference = settings.interfere(asked, requests.length);
    if (interference === "hang") return;
    const answer =
      interference === "cut" || interference === null
        ? answerTo(asked, request.headers.authorization, url.length)
        : interference;
    const { status, headers, body: content } = answer;
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const type = typeof content === "string" ? "text/html" : "application/json";
    const date = new Date(now()).toUTCString();
    response.writeHead(status, { "content-type": type, date, "content-length": Buffer.byteLength(text), ...headers });
    if (interference !== "cut") return void response.end(text);
    response.write(text.slice(0, text.length / 2));
    response.destroy();
  }

  const server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
    respond(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // Of a server that listens on a port.
  return {
    url: `http://127.0.0.1:${port}`,
    store,
    settings,
    limits,
    tokens,
    exports,
    downloads: files.requests,
    requests,
    now,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await files[Symbol.asyncDispose]();
    },
  };
}

interface Routing {
  readonly store: HubspotStore;
  readonly settings: HubspotSettings;
  readonly now: number;
}

function route(asked: Asked, { store, settings, now }: Routing): Answer {
  switch (`${asked.method} ${asked.path}`) {
    case `GET /crm/objects/${VERSION}/companies`:
      return listCompanies(asked, store);
    case `POST /crm/objects/${VERSION}/companies/search`:
      return searchCompanies(asked, store, settings, now);
    case `POST /crm/objects/${VERSION}/companies/batch/read`:
      return batchReadCompanies(asked, store, settings.followsMerges);
    case `POST /crm/objects/${VERSION}/contacts/batch/read`:
      return batchReadContacts(asked, store);
    case `POST /crm/associations/${VERSION}/companies/contacts/batch/read`:
      return readAssociations(asked, store, settings.associationPageRows);
    case `GET /crm/properties/${VERSION}/companies`:
      return listProperties(asked, store);
    case `GET /crm/owners/${VERSION}`:
      return listOwners(asked, store);
    case `GET /account-info/${VERSION}/details`:
      return unknownIn(asked, [], []) ?? ok({ portalId: 1, timeZone: settings.timeZone, utcOffset: "+00:00" });
    default:
      return refusal(404, "OBJECT_NOT_FOUND", "Unable to find the route");
  }
}

function listProperties(asked: Asked, { properties }: HubspotStore): Answer {
  const isArchived = asked.query.get("archived") === "true";
  const results = [...properties.values()]
    .filter(({ archived = false }) => archived === isArchived)
    .map((one) => ({ label: one.name, description: "", options: [], archived: false, ...one }));
  return unknownIn(asked, ["archived", "dataSensitivity", "locale"], []) ?? ok({ results });
}

const OWNER_PAGE = 2;

function listOwners(asked: Asked, { owners }: HubspotStore): Answer {
  const wrong = unknownIn(asked, ["limit", "after", "archived"], []);
  if (wrong) return wrong;
  if (asked.query.get("archived") === "true") return ok({ results: [] });
  const offset = Number(asked.query.get("after") ?? 0);
  const results = [...owners].slice(offset, offset + OWNER_PAGE).map(([id, email]) => ({ id, email, archived: false }));
  const end = offset + OWNER_PAGE;
  return ok({ results, ...(end < owners.size ? { paging: { next: { after: String(end) } } } : {}) });
}

function lackingScope(path: string, { missingScopes }: HubspotSettings): Answer | null {
  const scope = SCOPES.find(([prefix]) => path.startsWith(prefix))?.[1];
  if (scope === undefined || !missingScopes.has(scope)) return null;
  const message = "This app hasn't been granted all required scopes to make this call.";
  return refusal(403, "MISSING_SCOPES", message, { missingScopes: [scope] });
}

function readAsked(request: IncomingMessage, url: string, body: string): Asked {
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded";
  const content = body === "" ? {} : isForm ? { form: body } : JSON.parse(body);
  return { method: request.method ?? "", path: pathname, query: searchParams, body: content };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function defaultSettings(): HubspotSettings {
  return {
    perTenSeconds: 100,
    searchesPerSecond: 5,
    daily: 250_000,
    saysRetryAfter: true,
    indexLagMs: 0,
    idOrder: "numeric",
    unorderedAbove: Number.POSITIVE_INFINITY,
    slackMs: 0,
    interfere: () => null,
    followsMerges: true,
    associationPageRows: 500,
    timeZone: "UTC",
    missingScopes: new Set(),
    skewMs: 0,
    latencyMs: 20,
  };
}
