import { expect, it } from "vitest";
import { createLogger } from "../../src/platform/logger.ts";

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): unknown[] {
  const lines: unknown[] = [];
  write(createLogger("info", { write: (line) => lines.push(JSON.parse(line)) }));
  return lines;
}

it("writes JSON lines with a level by name and a time in UTC", () => {
  expect(linesOf((logger) => logger.warn({ lane: 3 }, "lane waits"))).toEqual([
    { level: "warn", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), lane: 3, msg: "lane waits" },
  ]);
});

it("leaves out what is below its level", () => {
  expect(linesOf((logger) => logger.debug({}, "detail"))).toEqual([]);
});
