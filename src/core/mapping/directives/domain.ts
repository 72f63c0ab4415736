/** `@domain`: the registrable domain of a company, from whatever a field holds. prickle's own. Source: facts on HubSpot, 14. */

import { createRequire } from "node:module";
import { domainToASCII } from "node:url";
import { lazily } from "../../lazy.ts";
import { describe, type Expression, nothing, type Scope } from "../scope.ts";
import { readArguments } from "./arguments.ts";
import { readOtherwise } from "./otherwise.ts";

const require = createRequire(import.meta.url);
const tldts = lazily((): typeof import("tldts") => require("tldts"));
const freeMailDomains = lazily((): typeof import("company-email-validator") => require("company-email-validator"));

/** Pages of companies on them say nothing of the company's own domain. */
const SOCIAL: ReadonlySet<string> = new Set([
  ...["linkedin.com", "facebook.com", "twitter.com", "x.com", "instagram.com", "youtube.com", "tiktok.com"],
  ...["xing.com", "crunchbase.com", "linktr.ee", "medium.com", "pinterest.com"],
]);

/** From a domain, URL, e-mail address or a list of them the first that is one; free-mail domains count only if told so. */
export function compileDomain(argument: unknown, scope: Scope): Expression {
  const given = readArguments(argument, scope, { needed: ["value"], optional: ["freeMail", "otherwise"] });
  if (!given) return nothing;
  const value = given.value("value");
  const freeMail = given.flag("freeMail", false);
  // Lists of ten thousand domains: better loaded now than with the first call.
  tldts();
  if (!freeMail) freeMailDomains();
  const allowed = "the domain of a company is needed";
  const otherwise = readOtherwise(given, scope, { fallback: "omit", allowed });
  return (data, run) => {
    const found = value(data, run);
    if (found === undefined || found === null || found === "") return undefined;
    const domain = typeof found === "string" ? companyDomain(found, freeMail) : null;
    return domain ?? otherwise(run, found, describe(found));
  };
}

function companyDomain(text: string, freeMail: boolean): string | null {
  for (const part of text.split(/[;,\s]+/, MOST_PARTS)) {
    const host = hostOf(part);
    if (host.length > LONGEST_HOST) continue;
    const { domain, isIcann, isPrivate } = tldts().parse(domainToASCII(host), OPTIONS);
    if (
      domain !== null &&
      (isIcann || isPrivate) &&
      !SOCIAL.has(domain) &&
      (freeMail || freeMailDomains().isCompanyDomain(domain))
    )
      return domain;
  }
  return null;
}

const MOST_PARTS = 100;
const LONGEST_HOST = 253;

/** Domains under private suffixes are companies of their own: a shop on a shop platform. Addresses and single words are none. */
const OPTIONS = { allowPrivateDomains: true, validateHostname: true, detectIp: true };

/** Without scheme, user, port, path, query, fragment and the dot at the end. */
function hostOf(text: string): string {
  const [authority = ""] = text
    .toLowerCase()
    .replace(/^([a-z][a-z0-9+.-]*:)?\/\//, "")
    .replace(/^mailto:/, "")
    .split(/[/?#\\]/, 1);
  return authority
    .slice(authority.lastIndexOf("@") + 1)
    .replace(/:\d*$/, "")
    .replace(/\.$/, "");
}
