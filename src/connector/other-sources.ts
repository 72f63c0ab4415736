/** Salesforce, Pipedrive, Attio and SQL sources as the configuration says. */

import type { PullSourceConfig } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import type { RowSource } from "../core/row-source.ts";
import { createAttioRows } from "../sources/attio/rows.ts";
import { createPipedriveRows } from "../sources/pipedrive/rows.ts";
import type { SalesforceCredentials } from "../sources/salesforce/credentials.ts";
import { createSalesforceRows } from "../sources/salesforce/rows.ts";
import { createSqlRows } from "../sources/sql/rows.ts";

interface Parts {
  readonly clock: Clock;
  readonly random: () => number;
}

type Settings<Type> = Extract<PullSourceConfig["settings"], { readonly type: Type }>;
type OtherSettings = Exclude<PullSourceConfig["settings"], Settings<"hubspot">>;

/** Organizations that Pipedrive gives at once at most. */
const PIPEDRIVE_ROWS = 500;

export function openOtherSource(settings: OtherSettings, parts: Parts): RowSource {
  switch (settings.type) {
    case "salesforce":
      return openSalesforce(settings, parts);
    case "pipedrive":
      return openPipedrive(settings, parts);
    case "attio":
      return openAttio(settings, parts);
    case "sql":
      return openSql(settings, parts);
  }
}

function openSalesforce(settings: Settings<"salesforce">, parts: Parts): RowSource {
  const { url, loginUrl, object, fields, bulkFrom, dailyShare } = settings;
  const credentials = salesforceCredentials(settings);
  return createSalesforceRows({ url, loginUrl, credentials, object, fields, bulkFrom, dailyShare, ...parts });
}

function openPipedrive(settings: Settings<"pipedrive">, parts: Parts): RowSource {
  const { url, apiToken, accessToken, requestsPer2Seconds, listsDeleted, fieldsVersion } = settings;
  const credentials = apiToken
    ? ({ kind: "api_token", token: apiToken.reveal() } as const)
    : ({ kind: "oauth", accessToken: (accessToken ?? missing("apiToken or accessToken")).reveal() } as const);
  const rowsAtOnce = PIPEDRIVE_ROWS;
  return createPipedriveRows({
    ...{ url, credentials, requestsPer2Seconds, listsDeleted, fieldsVersion, rowsAtOnce },
    ...parts,
  });
}

function openAttio(settings: Settings<"attio">, parts: Parts): RowSource {
  const { url, accessToken, object, rowsAtOnce, sortBy, asksForVanished } = settings;
  const token = accessToken.reveal();
  return createAttioRows({ url, accessToken: token, object, rowsAtOnce, sortBy, asksForVanished, ...parts });
}

function openSql(settings: Settings<"sql">, parts: Parts): RowSource {
  const { url, query, idColumn, updatedAtColumn, deletedColumn, overlap, statementTimeout, rowsAtOnce } = settings;
  return createSqlRows({
    ...{ url: url.reveal(), query, idColumn, updatedAtColumn, deletedColumn, rowsAtOnce },
    ...{ overlapMs: overlap, statementTimeoutMs: statementTimeout },
    ...parts,
  });
}

function salesforceCredentials({ clientId, clientSecret, jwt }: Settings<"salesforce">): SalesforceCredentials {
  if (jwt) {
    const { username, audience, privateKey } = jwt;
    return { kind: "jwt", clientId, username, audience, privateKey: privateKey.reveal() };
  }
  const secret = clientSecret ?? missing("clientSecret or jwt");
  return { kind: "client_credentials", clientId, clientSecret: secret.reveal() };
}

/** The configuration was checked for it. */
function missing(names: string): never {
  throw new PrickleError("CONFIG_INVALID", `The source needs ${names}.`);
}
