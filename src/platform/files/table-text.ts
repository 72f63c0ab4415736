/** The text of a table: its delimiter, its rows and the names of its columns. */

import Papa from "papaparse";

const DELIMITERS = [",", ";", "\t", "|"];
const ROWS_LOOKED_AT = 20;

/** The one by which the header has most columns and the rows behind it as many. */
export function sniffDelimiter(text: string): string {
  const scores = DELIMITERS.map((delimiter) => {
    const { data } = Papa.parse<string[]>(text, { delimiter, newline: "\n", preview: ROWS_LOOKED_AT });
    const [header = [], ...rows] = data.filter((cells) => cells.length > 1 || cells[0]?.trim() !== "");
    const alike = rows.filter(({ length }) => length === header.length).length;
    return { delimiter, score: header.length < 2 ? 0 : header.length * ((1 + alike) / (1 + rows.length)) };
  });
  return scores.reduce((best, one) => (one.score > best.score ? one : best)).delimiter;
}

/** Rows with their cells, as papaparse reads them. The text has to be whole rows. */
export function parseRows(text: string, delimiter: string): readonly (readonly string[])[] {
  const { data } = Papa.parse<string[]>(text, { delimiter, newline: "\n" });
  for (const cells of data) {
    const last = cells.at(-1);
    if (last?.endsWith("\r")) cells[cells.length - 1] = last.slice(0, -1);
  }
  return data;
}

/** Each with a name, and each with another: what has none is `column_3`, what is there twice gets `_2`. */
export function namedColumns(columns: readonly string[]): readonly string[] {
  const names: string[] = [];
  for (const [index, column] of columns.entries()) {
    const trimmed = column.trim();
    const name = trimmed === "" || trimmed === "__proto__" ? `column_${index + 1}` : trimmed;
    let unique = name;
    for (let number = 2; names.includes(unique); number++) unique = `${name}_${number}`;
    names.push(unique);
  }
  return names;
}
