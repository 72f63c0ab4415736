/** Histories through mapping, preparation and attribution, page by page, into what destinations have in the end. */

import { createAttribution } from "../../src/core/attribution/attribute.ts";
import { createMemoryKnowledge, type MemoryKnowledge } from "../../src/core/attribution/memory-knowledge.ts";
import { DEFAULT_GROUP_RULES, type GroupRules, type RulesBySource } from "../../src/core/attribution/rules.ts";
import { createParcelWriter, FRAME_HEAD_BYTES, ID_BYTES, messagesIn, type Parcel } from "../../src/core/parcel.ts";
import type { SourceRecord } from "../../src/core/record.ts";
import { uuidTextAt } from "../../src/core/uuid.ts";
import { createPrepare } from "../../src/pipeline/prepare.ts";
import { shippedMapping } from "../core/mapping/shipped.ts";

export const LANES = 16;
const SEGMENT = shippedMapping("segment");

export const prepare = {
  statements: createPrepare({ mapping: SEGMENT, lanes: LANES, only: "statements" }),
  all: createPrepare({ mapping: SEGMENT, lanes: LANES }),
} as const;

export interface Arrangement {
  readonly records: readonly SourceRecord[];
  /** Records of a page, in turn. */
  readonly pages: readonly number[];
  /** Memberships of all records first, or all in one. */
  readonly passes: 1 | 2;
}

/** What became of the messages that were delivered. */
export interface Received {
  /** Groups of each event, by uuid. */
  readonly events: Map<string, unknown>;
  /** Properties of each group. */
  readonly groups: Map<string, Map<string, unknown>>;
  /** All messages that came, in order. */
  readonly messages: { readonly event: string; readonly uuid: string }[];
}

export interface Destination extends Received {
  readonly knowledge: MemoryKnowledge;
  take(arrangement: Arrangement): void;
}

export function createReceived(): Received {
  return { events: new Map(), groups: new Map(), messages: [] };
}

export function receive(uuid: string, json: string, { events, groups, messages }: Received): void {
  const { event, properties } = JSON.parse(json);
  messages.push({ event, uuid });
  const { $group_type, $group_key, $group_set = {}, $group_unset = [] } = properties;
  if ($group_type === undefined) {
    events.set(uuid, properties.$groups ?? null);
    return;
  }
  const name = `${$group_type}/${$group_key}`;
  const group = groups.get(name) ?? new Map();
  groups.set(name, group);
  for (const [key, value] of Object.entries($group_set)) group.set(key, value);
  for (const key of $group_unset) group.delete(key);
}

/** With the mapping of Segment for each source. */
export function rulesOfSources(bySource: Readonly<Record<string, Partial<GroupRules>>>): RulesBySource {
  const declared = { ...DEFAULT_GROUP_RULES, groupTypes: SEGMENT.groupTypes };
  return Object.fromEntries(Object.entries(bySource).map(([source, own]) => [source, { ...declared, ...own }]));
}

/** Each source has the mapping of Segment, and rules of its own. `keepsSeen`: as a ledger that leaves out what it saw. */
export function createDestination(
  bySource: Readonly<Record<string, Partial<GroupRules>>>,
  { keepsSeen = true }: { readonly keepsSeen?: boolean } = {},
): Destination {
  const rules = rulesOfSources(bySource);
  const knowledge = createMemoryKnowledge();
  const attribute = createAttribution({ knowledge, rules, lanes: LANES });
  const seen = new Set<string>();
  const received = createReceived();
  let seq = 0;

  function commit(source: string, { contents, ids, statements }: Parcel): void {
    const parcel = createParcelWriter();
    const bytes = Buffer.from(contents);
    const texts = statements === "" ? [] : [statements];
    const attributable = { source, statements: texts, bytes, from: 0, to: bytes.length, ids, known: knownIn(ids) };
    attribute(attributable, { parcel, takeSeq: () => seq++ });
    const out = parcel.contents();
    for (const { frameAt, end } of messagesIn(out, 0, out.length)) {
      receive(uuidTextAt(out, frameAt + 4), out.toString("utf8", frameAt + FRAME_HEAD_BYTES, end), received);
    }
  }

  function knownIn(ids: Uint8Array): ReadonlySet<number> {
    const known = new Set<number>();
    for (let place = 0; place * ID_BYTES < ids.length; place++) {
      const id = uuidTextAt(Buffer.from(ids), place * ID_BYTES);
      if (keepsSeen && seen.has(id)) known.add(place);
      seen.add(id);
    }
    return known;
  }

  return {
    ...received,
    knowledge,
    take({ records, pages, passes }) {
      const modes = passes === 2 ? (["statements", "all"] as const) : (["all"] as const);
      for (const mode of modes) {
        for (const page of pagesOf(records, pages)) {
          for (const parcel of prepare[mode]({ records: page, rejections: [] }).parcels) commit(page[0].source, parcel);
        }
      }
    },
  };
}

type Page = [SourceRecord, ...SourceRecord[]];

/** What comes of another source is another page. */
export function pagesOf(records: readonly SourceRecord[], sizes: readonly number[]): readonly Page[] {
  const pages: Page[] = [];
  for (const record of records) {
    const last = pages.at(-1);
    const size = sizes[(pages.length - 1) % sizes.length] ?? 1;
    if (last && last.length < size && last[0].source === record.source) last.push(record);
    else pages.push([record]);
  }
  return pages;
}

/** As plain data, whatever order it came in. */
export function endOf({ events, groups }: Received): unknown {
  const byName = <Value>(entries: Iterable<readonly [string, Value]>) =>
    [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  return { events: byName(events), groups: byName([...groups].map(([name, group]) => [name, byName(group)])) };
}
