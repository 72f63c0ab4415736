/** Which properties a mapping reads, by its text without comments. */

/** What a company has without anybody asking for it by name. */
export const DEFAULT_PROPERTIES = [
  "name",
  "domain",
  "website",
  "industry",
  "type",
  "lifecyclestage",
  "numberofemployees",
  "annualrevenue",
  "num_associated_contacts",
  "city",
  "state",
  "country",
  "hubspot_owner_id",
  "hs_parent_company_id",
] as const;

export interface MappedNames {
  /** `$.properties.x` */
  readonly ofCompany: readonly string[];
  /** `$.contact.properties.x` and `$.company.properties.x` of a company's contact. */
  readonly ofContact: readonly string[];
  readonly ofItsCompany: readonly string[];
}

/** `.x`, `['x']` and `["x"]`, in paths, conditions and templates alike. */
const READ = /(?:\b(contact|company)\.)?\bproperties(?:\.([A-Za-z0-9_]+)|\[\s*\\?['"]([^'"\\]+)\\?['"]\s*\])/g;

export function propertyNamesIn(text: string): MappedNames {
  const found = { company: new Set<string>(), contact: new Set<string>(), own: new Set<string>() };
  for (const [, of, plain, quoted] of text.matchAll(READ)) {
    const name = plain ?? quoted;
    if (name === undefined) continue;
    const names = of === "contact" ? found.contact : of === "company" ? found.company : found.own;
    names.add(name);
  }
  return { ofCompany: [...found.own], ofContact: [...found.contact], ofItsCompany: [...found.company] };
}
