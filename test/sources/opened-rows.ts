/** Sources of rows that a test opened, to be closed with it. */

import type { RowSource } from "../../src/core/row-source.ts";

export interface OpenedRows {
  keep(rows: RowSource): RowSource;
  close(): Promise<void>;
}

export function createOpenedRows(): OpenedRows {
  const opened: RowSource[] = [];
  return {
    keep(rows) {
      opened.push(rows);
      return rows;
    },
    async close() {
      for (const rows of opened) await rows.close();
    },
  };
}
