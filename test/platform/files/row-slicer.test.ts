/** A table is cut into pages of whole rows, wherever its bytes are cut; what is broken costs its own line only. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRowSlicer } from "../../../src/platform/files/row-slicer.ts";
import type { RawPage } from "../../../src/platform/files/slicer.ts";
import { parseRows } from "../../../src/platform/files/table-text.ts";

const MAX_BYTES = 200;

interface Cut {
  readonly rows: readonly (readonly string[])[];
  readonly pages: readonly RawPage[];
  readonly broken: readonly number[];
  readonly tooLong: readonly number[];
}

/** `parts`: lengths of the parts the bytes come in, over and over. */
function cut(text: string, { parts = [1000], pageRows = 3, hasHeader = false, isWhole = true } = {}): Cut {
  const options = { lines: 0, pageLines: pageRows, maxLineBytes: MAX_BYTES, delimiter: 44, hasHeader };
  const slicer = createRowSlicer(options);
  const bytes = Buffer.from(text);
  const pages: RawPage[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = parts[turn % parts.length] ?? 1;
    pages.push(...slicer.push(bytes.subarray(at, at + length)));
    at += length;
  }
  pages.push(...slicer.finish({ isWhole }));
  return {
    pages,
    rows: pages.flatMap((page) => parseRows(Buffer.from(page.bytes).toString(), ",").filter(isRow)),
    broken: pages.flatMap((page) => (page.broken ?? []).map(({ line }) => line)),
    tooLong: pages.flatMap((page) => page.tooLong.map(({ line }) => line)),
  };
}

function isRow(cells: readonly string[]): boolean {
  return cells.length > 1 || cells[0] !== "";
}

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

describe("rows", () => {
  const cell = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "ä", '"', ",", "\n", "\r", " "), maxLength: 8 }).map(quoted),
    fc.string({ unit: fc.constantFrom("a", "ß", "7", " ", "'", ";"), maxLength: 8 }),
    fc.constant('12" pipe'),
  );
  const table = fc.record({
    rows: fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 12 }),
    newline: fc.constantFrom("\n", "\r\n"),
    endsWithNewline: fc.boolean(),
  });
  const partLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

  it("are those of the whole table, however its bytes are cut into parts and pages", () => {
    fc.assert(
      fc.property(
        table,
        partLengths,
        fc.integer({ min: 1, max: 5 }),
        ({ rows, newline, endsWithNewline }, parts, pageRows) => {
          const text = rows.map((cells) => cells.join(",")).join(newline) + (endsWithNewline ? newline : "");
          const found = cut(text, { parts, pageRows });
          expect(found.rows).toEqual(parseRows(text, ",").filter(isRow));
          expect(found).toMatchObject({ broken: [], tooLong: [] });
          expect(found.pages.reduce((sum, { length }) => sum + length, 0)).toBe(Buffer.byteLength(text));
          expect(found.pages.reduce((sum, { lines }) => sum + lines, 0)).toBe(linesOf(text));
        },
      ),
    );
  });

  it("are the same after anything that is broken, and from the end of any page on", () => {
    const piece = fc.constantFrom('"', ",", "\n", "\r\n", "a", " ", '""', "ü", "bb", '"x",y\n');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        partLengths,
        fc.integer({ min: 1, max: 4 }),
        (pieces, parts, pageRows) => {
          const text = pieces.join("");
          const whole = cut(text, { pageRows });
          const { rows, broken, tooLong, pages } = cut(text, { parts, pageRows });
          expect({ rows, broken, tooLong }).toEqual({ rows: whole.rows, broken: whole.broken, tooLong: whole.tooLong });
          let at = 0;
          for (const [index, page] of pages.entries()) {
            at += page.length;
            const rest = cut(Buffer.from(text).subarray(at).toString(), { parts, pageRows });
            expect(rest.pages.map((one) => Buffer.from(one.bytes))).toEqual(
              pages.slice(index + 1).map((one) => Buffer.from(one.bytes)),
            );
          }
        },
      ),
    );
  });
});

function linesOf(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") || text === "" ? 1 : 0);
}

describe("a row that is broken", () => {
  it.each([
    [
      "a quote followed by text",
      'a,b\n"x"y,z\nc,d\n',
      [
        ["a", "b"],
        ["c", "d"],
      ],
      [2],
    ],
    [
      "a quote that is never closed",
      'a,b\n"x,y\nc,d\n',
      [
        ["a", "b"],
        ["c", "d"],
      ],
      [2],
    ],
    [
      "one of several lines",
      'a,b\n"1\n2"x,y\nc,d\n',
      [
        ["a", "b"],
        ['2"x', "y"],
        ["c", "d"],
      ],
      [2],
    ],
    ["the last line", 'a,b\n"x', [["a", "b"]], [2]],
  ])("costs its own line: %s", (_, text, rows, broken) => {
    for (const parts of [[1], [3], [1000]]) expect(cut(text, { parts })).toMatchObject({ rows, broken });
  });

  it("of a quote that opens and does not close for long does not take the rows behind with it", () => {
    const text = `a,b\n"x,y\n${"c,d\n".repeat(100)}`;
    for (const parts of [[1], [50], [10_000]]) {
      const { rows, broken } = cut(text, { parts });
      expect(rows.length).toBe(101);
      expect(broken).toEqual([2]);
    }
  });

  it("longer than allowed is let go of, wherever its bytes are cut", () => {
    const long = "x".repeat(MAX_BYTES * 3);
    for (const parts of [[1], [70], [10_000]]) {
      expect(cut(`a,b\n${long},y\nc,d\n`, { parts })).toMatchObject({
        rows: [
          ["a", "b"],
          ["c", "d"],
        ],
        tooLong: [2],
      });
      expect(cut(`a,b\n${long}`, { parts })).toMatchObject({ rows: [["a", "b"]], tooLong: [2] });
    }
  });

  it("at the end of a file that is cut short is left for when it is whole", () => {
    expect(cut("a,b\nc,d", { isWhole: false })).toMatchObject({ rows: [["a", "b"]] });
  });
});

describe("the header", () => {
  it("is in no page, and counts as a line", () => {
    const { rows, pages } = cut('\ufeff"one\ntwo",b\r\n1,2\r\n', { hasHeader: true, parts: [5] });
    expect(rows).toEqual([["1", "2"]]);
    expect(pages).toMatchObject([{ firstLine: 3, lines: 3 }]);
  });
});
