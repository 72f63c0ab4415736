/** ISO 8601 dates and times, as messages and questions carry them. Without a zone they are UTC. */

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;
const LAST_DAY_OF_EVERY_MONTH = 28;

export const DAY_MS = 86_400_000;

export interface Instant {
  /** ms UTC; of a date, its first. */
  readonly ms: number;
  readonly isDate: boolean;
}

/** Null for what is no ISO 8601 date or time of the years 1 to 9999, such as 30 February. */
export function readInstant(text: string): Instant | null {
  const [matched, year, month, day, time, zone = "Z"] = ISO.exec(text) ?? [];
  if (matched === undefined || year === "0000") return null;
  const date = `${year}-${month}-${day}`;
  const ms = Date.parse(time === undefined ? date : `${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms) || (Number(day) > LAST_DAY_OF_EVERY_MONTH && !isRealDate(date))) return null;
  return { ms, isDate: time === undefined };
}

/** JavaScript reads 30 February as 2 March. */
function isRealDate(date: string): boolean {
  const ms = Date.parse(date);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}
