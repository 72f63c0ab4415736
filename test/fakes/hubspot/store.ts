/** What a fake HubSpot account holds: companies, contacts and properties, and an index for searches that lags behind. */

export interface StoredCompany {
  readonly id: string;
  properties: Record<string, string | null>;
  createdAt: number;
  updatedAt: number;
  archivedAt: number | null;
}

export interface PropertyDefinition {
  readonly name: string;
  readonly type: string;
  readonly fieldType: string;
  readonly archived?: boolean;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
}

/** Of a company, as a search knows it. */
export interface Indexed {
  readonly id: string;
  readonly updatedAt: number;
  readonly merged: string | null;
}

export interface HubspotStore {
  readonly properties: Map<string, PropertyDefinition>;
  readonly contacts: Map<string, Record<string, string | null>>;
  /** Contacts of companies. */
  readonly associations: Map<string, Set<string>>;
  readonly owners: Map<string, string>;
  create(properties: Record<string, string | null>, id?: string): string;
  edit(id: string, properties: Record<string, string | null>): void;
  /** Calculated properties do not move the time of modification. */
  recalculate(id: string, properties: Record<string, string | null>): void;
  archive(id: string): void;
  restore(id: string): void;
  /** As the law asks: no trace but a hole in pages. */
  erase(id: string): void;
  /** Gives the id of the company that stays: a new one. */
  merge(primary: string, other: string): string;
  get(id: string): StoredCompany | undefined;
  live(): readonly StoredCompany[];
  archived(): readonly StoredCompany[];
  /** Everything a list goes through, in order of ids: null for what was erased. */
  slots(isArchived: boolean): Slots;
  /** The company that one was merged into, and that into another. */
  survivorOf(id: string): string | undefined;
  /** What a search finds at that time; erased ones too, which pages then lack. */
  indexed(at: number): Iterable<Indexed>;
}

type Slots = readonly { readonly id: string; readonly company: StoredCompany | null }[];

const MERGED_IDS = "hs_merged_object_ids";

export function createHubspotStore(now: () => number, { firstId = 8_675_309_001 } = {}): HubspotStore {
  const companies = new Map<string, StoredCompany>();
  const survivors = new Map<string, string>();
  const index = new Map<string, Indexed>();
  let pending: { readonly at: number; readonly id: string; readonly entry: Indexed | null }[] = [];
  let nextId = firstId;
  /** Lists are long and asked for page by page. */
  const listed = new Map<boolean, Slots>();
  const erased: { readonly id: string; readonly isArchived: boolean }[] = [];

  const required = (id: string) => {
    const found = companies.get(id);
    if (!found) throw new RangeError(`no company ${id}`);
    return found;
  };
  const note = ({ id, updatedAt, archivedAt, properties }: StoredCompany) => {
    const entry = archivedAt === null ? { id, updatedAt, merged: properties[MERGED_IDS] ?? null } : null;
    pending.push({ at: now(), id, entry });
  };
  const touch = (company: StoredCompany) => {
    company.updatedAt = Math.max(now(), company.updatedAt);
    note(company);
  };

  const store: HubspotStore = {
    properties: new Map(),
    contacts: new Map(),
    associations: new Map(),
    owners: new Map(),
    create(properties, id = String(nextId++)) {
      const at = now();
      const company = { id, properties: { ...properties }, createdAt: at, updatedAt: at, archivedAt: null };
      companies.set(id, company);
      listed.clear();
      note(company);
      return id;
    },
    edit(id, properties) {
      const company = required(id);
      company.properties = { ...company.properties, ...properties };
      touch(company);
    },
    recalculate(id, properties) {
      const company = required(id);
      company.properties = { ...company.properties, ...properties };
    },
    archive(id) {
      const company = required(id);
      company.archivedAt = now();
      listed.clear();
      note(company);
    },
    restore(id) {
      const company = required(id);
      company.archivedAt = null;
      listed.clear();
      note(company);
    },
    erase(id) {
      const { archivedAt } = required(id);
      companies.delete(id);
      listed.clear();
      erased.push({ id, isArchived: archivedAt !== null });
    },
    merge(primary, other) {
      const [one, two] = [required(primary), required(other)];
      const before = [one, two].map(({ properties }) => properties[MERGED_IDS]).filter(Boolean);
      const id = store.create({
        ...two.properties,
        ...Object.fromEntries(Object.entries(one.properties).filter(([, value]) => value)),
        [MERGED_IDS]: [...before, primary, other].join(";"),
      });
      for (const gone of [primary, other]) {
        companies.delete(gone);
        listed.clear();
        survivors.set(gone, id);
        pending.push({ at: now(), id: gone, entry: null });
      }
      return id;
    },
    get: (id) => companies.get(id),
    live: () => [...companies.values()].filter(({ archivedAt }) => archivedAt === null),
    archived: () => [...companies.values()].filter(({ archivedAt }) => archivedAt !== null),
    slots(isArchived) {
      const known = listed.get(isArchived);
      if (known) return known;
      const there = (isArchived ? store.archived() : store.live()).map((company) => ({ id: company.id, company }));
      const holes = erased.filter((one) => one.isArchived === isArchived).map(({ id }) => ({ id, company: null }));
      const slots = [...there, ...holes].sort(byId);
      listed.set(isArchived, slots);
      return slots;
    },
    survivorOf(id) {
      let into = survivors.get(id);
      while (into !== undefined && survivors.has(into)) into = survivors.get(into);
      return into;
    },
    indexed(at) {
      const due = pending.filter((one) => one.at <= at);
      pending = pending.filter((one) => one.at > at);
      for (const { id, entry } of due) {
        if (entry) index.set(id, entry);
        else index.delete(id);
      }
      return index.values();
    },
  };
  return store;
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return Number(one.id) - Number(other.id);
}
