/** The runs one lane has waiting, in order: a few numbers a run, however many wait. */

export interface RunPlace {
  /** Seq of its first message. */
  readonly firstSeq: number;
  readonly count: number;
  readonly committedAt: number;
  /** Where its frames begin in the log, and how many bytes they are. */
  readonly at: number;
  readonly bytes: number;
}

export interface RunQueue {
  /** A run of the same first seq takes the place of the one that was there, which it gives. */
  add(place: RunPlace): RunPlace | null;
  /** Null when there is none. */
  removeLast(): RunPlace | null;
  /** From the run that holds `seq` on. */
  from(seq: number): Iterable<RunPlace>;
  /** Takes out the runs that end before `seq`. */
  takeBefore(seq: number): readonly RunPlace[];
}

export function createRunQueue(): RunQueue {
  const firstSeqs: number[] = [];
  const counts: number[] = [];
  const times: number[] = [];
  const places: number[] = [];
  const sizes: number[] = [];
  const columns = [firstSeqs, counts, times, places, sizes];
  /** Of the first that is not gone; what is gone is cut off now and then. */
  let start = 0;

  const placeAt = (index: number): RunPlace => ({
    firstSeq: firstSeqs[index] ?? 0,
    count: counts[index] ?? 0,
    committedAt: times[index] ?? 0,
    at: places[index] ?? 0,
    bytes: sizes[index] ?? 0,
  });

  function put(index: number, replaced: number, { firstSeq, count, committedAt, at, bytes }: RunPlace): void {
    const values = [firstSeq, count, committedAt, at, bytes];
    for (const [column, value] of values.entries()) columns[column]?.splice(index, replaced, value);
  }

  /** Of the last run that begins at or before `seq`; `start` when none does. */
  function indexOf(seq: number): number {
    let low = start;
    let high = firstSeqs.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((firstSeqs[middle] ?? 0) <= seq) low = middle;
      else high = middle;
    }
    return low;
  }

  return {
    add(place) {
      const last = firstSeqs.length - 1;
      if (last < start || place.firstSeq > (firstSeqs[last] ?? 0)) {
        firstSeqs.push(place.firstSeq);
        counts.push(place.count);
        times.push(place.committedAt);
        places.push(place.at);
        sizes.push(place.bytes);
        return null;
      }
      const index = indexOf(place.firstSeq);
      const found = firstSeqs[index] ?? 0;
      const replaced = found === place.firstSeq ? placeAt(index) : null;
      put(found < place.firstSeq ? index + 1 : index, replaced ? 1 : 0, place);
      return replaced;
    },
    removeLast() {
      if (firstSeqs.length <= start) return null;
      const removed = placeAt(firstSeqs.length - 1);
      for (const column of columns) column.pop();
      return removed;
    },
    *from(seq) {
      for (let index = indexOf(seq); index < firstSeqs.length; index++) yield placeAt(index);
    },
    takeBefore(seq) {
      const taken: RunPlace[] = [];
      while (start < firstSeqs.length && (firstSeqs[start] ?? 0) + (counts[start] ?? 0) <= seq)
        taken.push(placeAt(start++));
      if (start > firstSeqs.length / 2) {
        for (const column of columns) column.splice(0, start);
        start = 0;
      }
      return taken;
    },
  };
}
