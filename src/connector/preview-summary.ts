/** What a whole input would come to, as if nothing were known before it. */

import type { Mapping } from "../core/mapping/mapping.ts";
import type { Rejection, SourceRecord } from "../core/record.ts";
import { createRehearsal, type RehearsalSummary } from "../core/rehearsal.ts";
import { createPreparer } from "../pipeline/prepare.ts";

export interface PreviewSummary extends RehearsalSummary {
  readonly records: number;
  /** Records by the rule that wanted them. */
  readonly rules: Readonly<Record<string, number>>;
}

type Outcomes = AsyncIterable<SourceRecord | Rejection>;

/** Records mapped at a time. */
const PAGE = 500;
/** Lanes only spread messages: any number sums up to the same. */
const LANES = 1;
const SOURCE = "preview";

/** `read` gives the input, once more if what it says of people has to be known first. `now`: ms UTC. */
export async function summarizePreview(mapping: Mapping, read: () => Outcomes, now: number): Promise<PreviewSummary> {
  const rules = new Map<string, number>();
  const rehearsal = createRehearsal({
    base: null,
    rules: { [SOURCE]: mapping.groupRules },
    lanes: LANES,
    isSeen: () => false,
    now,
  });
  async function rehearse(outcomes: Outcomes, only?: "statements"): Promise<number> {
    const counted = only ? mapping : countingRules(mapping, rules);
    const preparer = createPreparer({ mapping: counted, lanes: LANES, ...(only ? { only } : {}) });
    let records = 0;
    const take = () => {
      const { parcels, rejections } = preparer.take();
      for (const { ids, contents, statements } of parcels) {
        const bytes = Buffer.from(contents.buffer, contents.byteOffset, contents.length);
        const place = { bytes, from: 0, to: bytes.length, ids };
        rehearsal.add({ source: SOURCE, statements: statements === "" ? [] : [statements], ...place, rejections });
      }
    };
    for await (const outcome of outcomes) {
      preparer.add(outcome);
      records += 1;
      if (records % PAGE === 0) take();
    }
    take();
    return records;
  }
  if (mapping.usesMemberships) await rehearse(read(), "statements");
  const records = await rehearse(read());
  return { records, rules: Object.fromEntries(rules), ...rehearsal.summary() };
}

function countingRules(mapping: Mapping, rules: Map<string, number>): Mapping {
  return {
    ...mapping,
    apply(record, groups) {
      const mapped = mapping.apply(record, groups);
      if (mapped.rule !== null) rules.set(mapped.rule, (rules.get(mapped.rule) ?? 0) + 1);
      return mapped;
    },
  };
}
