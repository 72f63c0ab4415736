/** In which order a search gives ids: as numbers or as text. Either will do, as long as it keeps to one. */

const ORDERS: readonly ((one: string, other: string) => boolean)[] = [
  (one, other) => (one.length === other.length ? one < other : one.length < other.length),
  (one, other) => one < other,
];

export interface IdOrder {
  /** Takes the ids of the next page. False: they come in no order, and paging by the last id would skip some. */
  keeps(ids: readonly string[]): boolean;
}

export function createIdOrder(last: string): IdOrder {
  let before = last;
  let possible = ORDERS;
  return {
    keeps(ids) {
      for (const id of ids) {
        possible = possible.filter((isBefore) => isBefore(before, id));
        before = id;
      }
      return possible.length > 0;
    },
  };
}
