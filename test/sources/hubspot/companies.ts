/** Companies of a fake HubSpot, what may happen to them, and what their groups have to say then. */

import type { HubspotStore, StoredCompany } from "../../fakes/hubspot/store.ts";

/** By key. */
export type Groups = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What the group of a company has to say. */
function truthOf({ id, properties, archivedAt }: StoredCompany): Readonly<Record<string, unknown>> {
  const { name, seats } = properties;
  return { name, seats: Number(seats), hubspot_id: id, crm_deleted: archivedAt !== null };
}

/** What of groups is not as companies are: some of it, in few words. */
export function differencesBetween(store: HubspotStore, groups: Groups): readonly string[] {
  const found = [...store.live(), ...store.archived()].flatMap((company) => {
    const group = groups.get(keyOf(company)) ?? {};
    // Of a company that was archived before it was ever read nobody has to know.
    if (company.archivedAt !== null && group.name === undefined) return [];
    const truth = company.archivedAt === null ? truthOf(company) : { crm_deleted: true };
    const shown = Object.fromEntries(Object.keys(truth).map((name) => [name, group[name]]));
    const [is, shouldBe] = [JSON.stringify(shown), JSON.stringify(truth)];
    return is === shouldBe ? [] : [`${keyOf(company)}: ${is} instead of ${shouldBe}`];
  });
  return found.slice(0, 5);
}

/** The key that a company with a key of its own has; null: it is known under HubSpot's id. */
export function keyOf({ id, properties }: StoredCompany): string {
  return properties.external_id || `hubspot:${id}`;
}

export interface Actions {
  /** One of them, by a number in [0, 1). */
  act(which: number, where: number): void;
  /** Companies that were merged away, by the key of their group. */
  readonly merged: Map<string, string>;
  readonly erased: Set<string>;
}

export type Action = "edit" | "recalculate" | "create" | "archive" | "restore" | "erase" | "merge";

export function createActions(store: HubspotStore, allowed: readonly Action[]): Actions {
  const merged = new Map<string, string>();
  const erased = new Set<string>();
  let names = 0;
  const pick = <Item>(items: readonly Item[], where: number) => items[Math.floor(where * items.length)];
  const next = () => {
    names += 1;
    return { name: `Name ${names}`, seats: String(names) };
  };

  function act(which: number, where: number): void {
    const live = store.live();
    const one = pick(live, where);
    const other = pick(live, (where + 0.37) % 1);
    switch (pick(allowed, which)) {
      case "create":
        addCompany(store, next());
        return;
      case "edit":
        if (one) store.edit(one.id, next());
        return;
      case "recalculate":
        if (one) store.recalculate(one.id, { seats: next().seats });
        return;
      case "archive":
        if (one && live.length > 50) store.archive(one.id);
        return;
      case "restore": {
        const away = pick(store.archived(), where);
        if (away) store.restore(away.id);
        return;
      }
      case "erase":
        if (!one || live.length <= 50) return;
        erased.add(keyOf(one));
        store.erase(one.id);
        return;
      case "merge": {
        if (!one || !other || one === other || live.length <= 50) return;
        const id = store.merge(one.id, other.id);
        for (const gone of [one, other]) merged.set(keyOf(gone), id);
      }
    }
  }
  return { act, merged, erased };
}

let accounts = 0;

/** Every fifth is not known in the product. */
export function addCompany(
  store: HubspotStore,
  { name, seats }: { readonly name: string; readonly seats: string },
): void {
  accounts += 1;
  store.create({ name, seats, ...(accounts % 5 === 0 ? {} : { external_id: `account-${accounts}` }) });
}
