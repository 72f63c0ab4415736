/** HubSpot sources as the configuration says: sources with the same credentials share the limits of their account. */

import { join } from "node:path";
import type { PullSourceConfig } from "../config.ts";
import type { Clock } from "../core/clock.ts";
import { PrickleError } from "../core/errors.ts";
import { effectiveMapping } from "../core/mapping/effective-mapping.ts";
import type { MappingSource } from "../core/mapping/environment.ts";
import type { RowSource } from "../core/row-source.ts";
import type { AccessToken } from "../platform/access-token.ts";
import { oauthCredentials, staticCredentials } from "../sources/hubspot/credentials.ts";
import { createHubspotRows } from "../sources/hubspot/hubspot-rows.ts";
import { createPortal, type Portal } from "../sources/hubspot/portal.ts";
import type { WantedProperties } from "../sources/hubspot/properties.ts";
import { DEFAULT_PROPERTIES, type MappedNames, propertyNamesIn } from "../sources/hubspot/property-names.ts";
import { openTokenFile } from "./token-file.ts";

export interface HubspotParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Where refresh tokens are kept that came after the configured one, and exports while they are read. */
  readonly dataDir: string;
}

type Settings = Extract<PullSourceConfig["settings"], { readonly type: "hubspot" }>;
export type OpenHubspot = (source: PullSourceConfig, settings: Settings) => RowSource;

export function createHubspotOpener({ clock, random, dataDir }: HubspotParts): OpenHubspot {
  const portals = new Map<string, Portal>();

  function portalOf({ accessToken, oauth, apiHost }: Settings): Portal {
    const key = JSON.stringify([apiHost, accessToken?.reveal(), oauth?.clientId, oauth?.refreshToken.reveal()]);
    const portal = portals.get(key) ?? createPortal({ credentials: credentialsOf(), clock });
    portals.set(key, portal);
    return portal;

    function credentialsOf(): AccessToken {
      if (accessToken) return staticCredentials(accessToken.reveal());
      if (!oauth) throw new PrickleError("CONFIG_INVALID", "A HubSpot source needs accessToken or oauth.");
      const file = openTokenFile({ directory: dataDir, configured: oauth.refreshToken.reveal() });
      const clientSecret = oauth.clientSecret.reveal();
      const refreshToken = file.read();
      const { clientId } = oauth;
      return oauthCredentials({
        apiHost,
        clientId,
        clientSecret,
        refreshToken,
        saveRefreshToken: file.save,
        clock,
        random,
      });
    }
  }

  return ({ name, mapping }, settings) => {
    const { apiHost, labels: usesLabels, owners: namesOwners, fullBy } = settings;
    const read = readNames(mapping, settings.mapping);
    const contacts = settings.contacts && {
      names: [...new Set([...settings.contacts.properties, ...read.ofContact])],
      companyNames: read.ofItsCompany,
    };
    const wanted = wantedProperties(read, settings);
    const portal = portalOf(settings);
    return createHubspotRows({
      apiHost,
      portal,
      clock,
      random,
      wanted,
      usesLabels,
      namesOwners,
      contacts: contacts ?? null,
      fullBy,
      exportDirectory: join(dataDir, `export-${name}`),
    });
  };
}

interface ReadNames extends MappedNames {
  /** Of `ofCompany`, what the reader's own mapping reads. */
  readonly ofOwn: readonly string[];
}

function readNames(mapping: MappingSource, named: string): ReadNames {
  const parts = effectiveMapping(mapping).rules.flatMap((rule) => rule.parts);
  const isShipped = /^[^/\\.]+$/.test(named);
  const own = parts.filter(({ from }) => !isShipped && from.file === mapping.file);
  const namesOf = (some: typeof parts) => propertyNamesIn(JSON.stringify(some.map(({ value }) => value)));
  return { ...namesOf(parts), ofOwn: namesOf(own).ofCompany };
}

/** What a shipped mapping reads may be missing: not every account has it. What the reader's own one reads may not. */
function wantedProperties({ ofCompany, ofItsCompany, ofOwn }: ReadNames, settings: Settings): WantedProperties {
  const usual: readonly string[] = DEFAULT_PROPERTIES;
  const required = [...settings.properties, ...ofOwn];
  const isTold = (name: string) => !usual.includes(name) && !required.includes(name);
  const others = settings.contacts ? [...ofCompany, ...ofItsCompany] : ofCompany;
  return { required, wished: [...new Set(others)].filter(isTold), usual };
}
