/**
 * Commits as bytes, so that several cross to the ledger's thread in one buffer.
 *
 * group:  u32 commits · commit…
 * commit: u32 records · u32 messages · u32 bytes of contents · u32 bytes of origins · ids of its parcels · contents of its parcels · origins of its parcels · text source · text statements, a parcel a line · text rejections · text groups · text rows · text checkpoint name · text cursor
 * text:   u32 bytes (NO_TEXT: null) · UTF-8. Numbers are little-endian; ids and contents as in core/parcel.ts.
 */

import { createByteWriter } from "../../core/bytes.ts";
import { rejectionBytes } from "../../core/kept-rejection.ts";
import type { Commit } from "../../core/ledger.ts";
import { createMemoryPool } from "../../core/memory-pool.ts";
import { ID_BYTES } from "../../core/parcel.ts";

const NO_TEXT = 0xffffffff;
const MOST_UNUSED = 2;
/** Memory a group of unusual size needed is let go of. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** About how many bytes `commit` takes in a group. */
export function commitBytes({ parcels, rejections }: Commit): number {
  let bytes = 0;
  for (const rejection of rejections) bytes += rejectionBytes(rejection);
  for (const { ids, contents, statements, origins } of parcels) {
    bytes += ids.length + contents.length + statements.length + origins.length;
  }
  return bytes;
}

export interface GroupPacker {
  /** In memory of its own, to be handed over. */
  pack(commits: readonly Commit[]): Uint8Array<ArrayBuffer>;
  /** It came back. */
  reuse(group: Uint8Array<ArrayBuffer>): void;
}

/** Packs groups, one at a time. */
export function createGroupPacker(): GroupPacker {
  const out = createByteWriter();
  const pool = createMemoryPool(MOST_UNUSED, MOST_KEPT_BYTES);

  function putText(text: string | null): void {
    const at = out.length;
    out.number(NO_TEXT);
    if (text === null) return;
    out.text(text);
    out.numberAt(at, out.length - at - 4);
  }

  function putCommit({ source, parcels, rejections, groups = [], rows = [], checkpoint }: Commit): void {
    out.number(parcels.reduce((sum, { records }) => sum + records, 0));
    out.number(parcels.reduce((sum, { messages }) => sum + messages, 0));
    out.number(parcels.reduce((sum, { contents }) => sum + contents.length, 0));
    out.number(parcels.reduce((sum, { origins }) => sum + origins.length, 0));
    for (const { ids } of parcels) out.bytes(ids);
    for (const { contents } of parcels) out.bytes(contents);
    for (const { origins } of parcels) out.bytes(origins);
    putText(source ?? null);
    putText(statementsOf(parcels));
    for (const list of [rejections, groups, rows]) putText(list.length === 0 ? null : JSON.stringify(list));
    putText(checkpoint?.name ?? null);
    putText(checkpoint?.cursor ?? null);
  }

  return {
    pack(commits) {
      out.cut(0);
      out.number(commits.length);
      for (const commit of commits) putCommit(commit);
      const group = new Uint8Array(pool.take(out.length), 0, out.length);
      group.set(out.view(0, out.length));
      out.shrink(MOST_KEPT_BYTES);
      return group;
    },
    reuse: ({ buffer }) => pool.give(buffer),
  };
}

/** JSON text has no line breaks of its own. */
function statementsOf(parcels: Commit["parcels"]): string | null {
  const lines = parcels.flatMap(({ statements }) => (statements === "" ? [] : [statements]));
  return lines.length === 0 ? null : lines.join("\n");
}

/** A commit as it lies in the buffer of its group. */
export interface PackedCommit {
  readonly records: number;
  readonly messages: number;
  readonly ids: Buffer;
  /** Where the contents begin and end in the group. */
  readonly from: number;
  readonly to: number;
  readonly origins: Buffer;
  readonly source: string;
  readonly statements: readonly string[];
  /** JSON, or null when there are none. */
  readonly rejections: string | null;
  readonly groups: string | null;
  readonly rows: string | null;
  readonly checkpoint: readonly [name: string, cursor: string] | null;
}

export function readGroup(group: Buffer): readonly PackedCommit[] {
  let at = 0;
  const number = () => {
    at += 4;
    return group.readUInt32LE(at - 4);
  };
  const text = () => {
    const bytes = number();
    if (bytes === NO_TEXT) return null;
    at += bytes;
    return group.toString("utf8", at - bytes, at);
  };
  return Array.from({ length: number() }, (): PackedCommit => {
    const [records, messages, bytes, originBytes] = [number(), number(), number(), number()];
    const ids = group.subarray(at, at + records * ID_BYTES);
    const from = at + ids.length;
    const to = from + bytes;
    const origins = group.subarray(to, to + originBytes);
    at = to + originBytes;
    const [source, statements] = [text() ?? "", text()?.split("\n") ?? []];
    const [rejections, groups, rows, name, cursor] = [text(), text(), text(), text(), text()];
    const checkpoint = name === null || cursor === null ? null : ([name, cursor] as const);
    const place = { records, messages, ids, from, to, origins };
    return { ...place, source, statements, rejections, groups, rows, checkpoint };
  });
}
