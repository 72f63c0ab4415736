/**
 * Salesforce's login, REST query and Bulk API 2.0 on loopback: pages, time at whole seconds, the recycle bin, merges and limits as the real one
 * has them; refuses what that refuses, and can be told to fail.
 */

import { createPublicKey, verify } from "node:crypto";
import papaparse from "papaparse";
import {
  type ApiReply,
  type ApiRequest,
  type LoopbackApi,
  Refused,
  requireKnown,
  startLoopbackApi,
} from "./loopback-api.ts";
import { parseSoql, type SoqlRow } from "./soql.ts";

export interface FakeSalesforce extends LoopbackApi {
  /** Field → type. */
  readonly fields: Map<string, string>;
  /** Stamped with the time, unless they say another SystemModstamp. */
  put(id: string, values: Readonly<Record<string, string | number | boolean | null>>): void;
  /** Into the recycle bin. */
  remove(id: string): void;
  restore(id: string): void;
  /** Out of the recycle bin. */
  purge(id: string): void;
  merge(loserId: string, winnerId: string): void;
  /** Those that are live. */
  live(): readonly SoqlRow[];
  /** Tokens given so far are not taken any more. */
  expireTokens(): void;
  /** Addresses of next pages are forgotten. */
  forgetPages(): void;
  forgetJobs(): void;
  /** api-usage. */
  usage: { used: number; allowed: number };
  /** Rows a page holds. */
  pageRows: number;
  /** Times a job is asked for before it is complete. */
  jobPolls: number;
  readonly grants: string[];
}

export interface SalesforceLoginRules {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly username: string;
  readonly audience: string;
  /** PEM. */
  readonly publicKey: string;
}

interface Job {
  readonly csv: readonly (readonly string[])[];
  readonly columns: readonly string[];
  readonly createdAt: number;
  polls: number;
}

const ROOT = "/services/data/v62.0";

export async function startFakeSalesforce(
  login: SalesforceLoginRules,
  clock: { now(): number },
): Promise<FakeSalesforce> {
  const rows = new Map<string, SoqlRow>();
  const fields = new Map([
    ["Id", "id"],
    ["SystemModstamp", "datetime"],
    ["IsDeleted", "boolean"],
    ["MasterRecordId", "reference"],
    ["Name", "string"],
    ["Website", "url"],
    ["NumberOfEmployees", "int"],
    ["AnnualRevenue", "currency"],
    ["IsPartner", "boolean"],
    ["CreatedDate", "datetime"],
    ["External_Id__c", "string"],
    ["BillingAddress", "address"],
    ["BillingCity", "string"],
  ]);
  const tokens = new Set<string>();
  const pages = new Map<string, { readonly found: readonly SoqlRow[]; readonly fields: readonly string[] }>();
  const jobs = new Map<string, Job>();
  const grants: string[] = [];
  const settings = { usage: { used: 1, allowed: 100_000 }, pageRows: 2000, jobPolls: 1 };
  let made = 0;

  function answer(request: ApiRequest): ApiReply {
    const { path } = request;
    if (path === "/services/oauth2/token") return grant(request);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (!tokens.has(token)) throw refusal(401, "INVALID_SESSION_ID", "Session expired or invalid");
    if (settings.usage.used >= settings.usage.allowed) {
      throw refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.");
    }
    settings.usage.used += 1;
    const headers = { "sforce-limit-info": `api-usage=${settings.usage.used}/${settings.usage.allowed}` };
    const reply = route(request);
    return { ...reply, headers: { ...headers, ...reply.headers } };
  }

  function route(request: ApiRequest): ApiReply {
    const { method, path, query, text } = request;
    const within = path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length) : "";
    if (method === "GET" && within === "/sobjects/Account/describe") return describe();
    if (method === "GET" && (within === "/query" || within === "/queryAll")) {
      requireKnown(query.keys(), ["q"], (name) => refusal(400, "UNKNOWN_PARAMETER", name));
      return select(query.get("q") ?? "", within === "/queryAll");
    }
    const [, resource = "", locator = ""] = /^\/(query|queryAll)\/([\w-]+)$/.exec(within) ?? [];
    if (method === "GET" && locator !== "") return nextPage(resource, locator);
    if (method === "POST" && within === "/jobs/query") return createJob(text);
    const [, id = "", results = ""] = /^\/jobs\/query\/(\w+)(\/results)?$/.exec(within) ?? [];
    const job = jobs.get(id);
    if (method !== "GET" || !job) throw refusal(404, "NOT_FOUND", "The requested resource does not exist");
    return results === "" ? statusOf(id, job) : resultsOf(job, query);
  }

  function grant({ method, text, headers }: ApiRequest): ApiReply {
    const form = new URLSearchParams(text);
    if (method !== "POST" || headers["content-type"] !== "application/x-www-form-urlencoded") {
      throw new Refused(400, { error: "invalid_request", error_description: "no form" });
    }
    const type = form.get("grant_type") ?? "";
    grants.push(type);
    if (type === "client_credentials") {
      const isRight = form.get("client_id") === login.clientId && form.get("client_secret") === login.clientSecret;
      if (!isRight)
        throw new Refused(400, { error: "invalid_client", error_description: "invalid client credentials" });
    } else if (type !== "urn:ietf:params:oauth:grant-type:jwt-bearer" || !isSigned(form.get("assertion") ?? "")) {
      throw new Refused(400, { error: "invalid_grant", error_description: "invalid assertion" });
    }
    made += 1;
    tokens.add(`token-${made}`);
    return { body: { access_token: `token-${made}`, instance_url: "http://elsewhere", token_type: "Bearer" } };
  }

  function isSigned(assertion: string): boolean {
    const [head = "", claims = "", signature = ""] = assertion.split(".");
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    const { iss, sub, aud, exp } = read(claims);
    const seconds = exp - clock.now() / 1000;
    const isTimely = seconds > 0 && seconds <= 300;
    const isRight = iss === login.clientId && sub === login.username && aud === login.audience;
    const bytes = Buffer.from(`${head}.${claims}`);
    const isTrue = verify("RSA-SHA256", bytes, createPublicKey(login.publicKey), Buffer.from(signature, "base64url"));
    return read(head).alg === "RS256" && isTimely && isRight && isTrue;
  }

  function describe(): ApiReply {
    return { body: { name: "Account", fields: [...fields].map(([name, type]) => ({ name, type, label: name })) } };
  }

  function found(soql: string, all: boolean) {
    const query = parseSoql(soql);
    if (!query) throw refusal(400, "MALFORMED_QUERY", `unexpected token in: ${soql}`);
    if (query.object !== "Account")
      throw refusal(400, "INVALID_TYPE", `sObject type '${query.object}' is not supported.`);
    for (const name of [...query.fields, ...query.order]) {
      if (!fields.has(name)) throw refusal(400, "INVALID_FIELD", `No such column '${name}' on entity 'Account'.`);
    }
    const matching = [...rows.values()].filter((row) => (all || row.IsDeleted !== true) && query.matches(row));
    return { ...query, rows: sorted(matching, query.order) };
  }

  function select(soql: string, all: boolean): ApiReply {
    const { rows: matching, isCount, fields: chosen } = found(soql, all);
    if (isCount) return { body: { totalSize: matching.length, done: true, records: [] } };
    return { body: page(matching, chosen, 0, all ? "queryAll" : "query") };
  }

  function page(all: readonly SoqlRow[], chosen: readonly string[], from: number, resource: string) {
    const to = from + settings.pageRows;
    const records = all.slice(from, to).map((row) => recordOf(row, chosen));
    if (to >= all.length) return { totalSize: all.length, done: true, records };
    made += 1;
    const locator = `01g${made}-${to}`;
    pages.set(locator, { found: all, fields: chosen });
    return { totalSize: all.length, done: false, nextRecordsUrl: `${ROOT}/${resource}/${locator}`, records };
  }

  function nextPage(resource: string, locator: string): ApiReply {
    const rest = pages.get(locator);
    if (!rest) throw refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    return { body: page(rest.found, rest.fields, Number(locator.split("-")[1]), resource) };
  }

  function recordOf(row: SoqlRow, chosen: readonly string[]) {
    const values = chosen.map((name) => [
      name,
      fields.get(name) === "datetime" ? inJson(row[name]) : (row[name] ?? null),
    ]);
    return {
      attributes: { type: "Account", url: `${ROOT}/sobjects/Account/${row.Id}` },
      ...Object.fromEntries(values),
    };
  }

  function createJob(text: string): ApiReply {
    const { operation, query, ...others } = JSON.parse(text);
    requireKnown(Object.keys(others), [], (name) => refusal(400, "INVALIDJOB", `unknown property ${name}`));
    if (operation !== "query" || / (ORDER BY|OFFSET|LIMIT) /.test(query)) throw refusal(400, "INVALIDJOB", query);
    const { rows: matching, fields: columns } = found(query, false);
    made += 1;
    const id = `750${String(made).padStart(15, "0")}`;
    const csv = matching.map((row) => columns.map((name) => inCsv(row[name], fields.get(name) ?? "")));
    jobs.set(id, { csv, columns, createdAt: clock.now(), polls: 0 });
    return { body: { id, operation, state: "UploadComplete", createdDate: inJson(clock.now()) } };
  }

  function statusOf(id: string, job: Job): ApiReply {
    job.polls += 1;
    const state = job.polls > settings.jobPolls ? "JobComplete" : "InProgress";
    return { body: { id, operation: "query", state, createdDate: inJson(job.createdAt) } };
  }

  function resultsOf({ csv, columns }: Job, query: URLSearchParams): ApiReply {
    requireKnown(query.keys(), ["maxRecords", "locator"], (name) => refusal(400, "UNKNOWN_PARAMETER", name));
    const from = Number(query.get("locator") ?? "0");
    const to = from + Math.min(Number(query.get("maxRecords")), settings.pageRows);
    const body = papaparse.unparse([[...columns], ...csv.slice(from, to).map((line) => [...line])], {
      quotes: true,
      newline: "\n",
    });
    const locator = to >= csv.length ? "null" : String(to);
    const count = String(csv.slice(from, to).length);
    const headers = { "content-type": "text/csv", "sforce-locator": locator, "sforce-numberofrecords": count };
    return { body: `${body}\n`, headers };
  }

  const stamp = () => Math.floor(clock.now() / 1000) * 1000;
  function edit(id: string, values: SoqlRow): void {
    const before = rows.get(id) ?? { Id: id, IsDeleted: false, MasterRecordId: null, CreatedDate: stamp() };
    rows.set(id, { ...before, SystemModstamp: stamp(), ...values });
  }

  const api = await startLoopbackApi(answer, clock);
  return Object.assign(settings, api, {
    fields,
    grants,
    put: edit,
    remove: (id: string) => edit(id, { IsDeleted: true }),
    restore: (id: string) => edit(id, { IsDeleted: false, MasterRecordId: null }),
    purge: (id: string) => void rows.delete(id),
    merge: (loserId: string, winnerId: string) => {
      edit(loserId, { IsDeleted: true, MasterRecordId: winnerId });
      edit(winnerId, {});
    },
    live: () => [...rows.values()].filter(({ IsDeleted }) => IsDeleted !== true),
    expireTokens: () => tokens.clear(),
    forgetPages: () => pages.clear(),
    forgetJobs: () => jobs.clear(),
  });
}

function sorted(rows: readonly SoqlRow[], order: readonly string[]): readonly SoqlRow[] {
  return rows.toSorted((one, other) => {
    for (const field of order) {
      const [left, right] = [one[field] ?? "", other[field] ?? ""];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
}

function inJson(ms: SoqlRow[string] | undefined): string | null {
  return typeof ms === "number" ? new Date(ms).toISOString().replace("Z", "+0000") : null;
}

function inCsv(value: SoqlRow[string] | undefined, type: string): string {
  if (value === null || value === undefined) return "";
  return type === "datetime" ? new Date(Number(value)).toISOString() : String(value);
}

function refusal(status: number, errorCode: string, message: string): Refused {
  return new Refused(status, [{ message, errorCode }]);
}
