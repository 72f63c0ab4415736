/** liquidjs as a mapping may use it: Segment's limits and refusals, ours where a template could stall or differ from run to run. */

import { createRequire } from "node:module";
import type { FilterImplOptions, Liquid, Template } from "liquidjs";
import { lazily } from "../../lazy.ts";

const require = createRequire(import.meta.url);
const liquidjs = lazily((): typeof import("liquidjs") => require("liquidjs"));

/** What liquidjs calls so without exporting it. */
type FilterHandler = Exclude<FilterImplOptions, { handler: unknown }>;

export interface LiquidEngine {
  readonly filters: readonly string[];
  /** @throws what the template has wrong; what comes back throws what it cannot render. `now` is in ms UTC. */
  compile(text: string): (data: object, now: number) => string;
}

const REFUSED_TAGS = ["case", "for", "include", "layout", "render", "tablerow"];

/** Segment's, and `sample`: the same record must give the same message. */
export const REFUSED_FILTERS: ReadonlySet<string> = new Set([
  ...["array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by"],
  ...["group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort"],
  ...["sort_natural", "uniq", "where_exp", "type", "sample"],
]);

const DATE_FILTERS = ["date", "date_to_xmlschema", "date_to_rfc822", "date_to_string", "date_to_long_string"];

/**
 * Segment gives a template 500 ms and 100 million units. A message has less than 900,000 bytes, and others wait meanwhile.
 * Without loops it is the units that bound the work; the time is that of the wall, so one pause of the process must not count.
 */
const LIMITS = { parseLimit: 1000, renderLimit: 100, memoryLimit: 2_000_000 };

let lenient: LiquidEngine | null = null;
let strict: LiquidEngine | null = null;

/** An unknown filter changes nothing. */
export function liquidEngine(): LiquidEngine {
  lenient ??= createEngine({ strictFilters: false });
  return lenient;
}

/** An unknown or refused filter is an error of the template. */
export function strictLiquidEngine(): LiquidEngine {
  strict ??= createEngine({ strictFilters: true });
  return strict;
}

function createEngine({ strictFilters }: { readonly strictFilters: boolean }): LiquidEngine {
  const clock = { now: 0 };
  const liquid = new (liquidjs().Liquid)({
    ...LIMITS,
    strictFilters,
    ownPropertyOnly: true,
    templates: {},
    timezoneOffset: 0,
    locale: "en-US",
    outputEscape: countOutput,
  });
  for (const tag of REFUSED_TAGS) liquid.registerTag(tag, refusedTag(tag));
  for (const name of REFUSED_FILTERS) {
    if (strictFilters) delete liquid.filters[name];
    else liquid.registerFilter(name, refusedFilter(name));
  }
  liquid.registerFilter("raw", { raw: true, handler: countOutput });
  for (const name of DATE_FILTERS) liquid.registerFilter(name, atClock(liquid.filters[name], clock));
  return {
    filters: Object.keys(liquid.filters),
    compile(text) {
      const templates: Template[] = liquid.parse(text);
      return (data, now) => {
        clock.now = now;
        try {
          return String(liquid.renderSync(templates, data));
        } catch (thrown) {
          if (!isTooSlow(thrown)) throw thrown;
          return String(liquid.renderSync(templates, data));
        }
      };
    },
  };
}

function isTooSlow(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.includes("template render limit exceeded");
}

/** What is put out costs memory too: liquidjs counts what filters make, not what is written. */
const countOutput: FilterHandler = function (value: unknown) {
  if (typeof value === "string" || Array.isArray(value)) this.context.memoryLimit.use(value.length);
  return value;
};

/** `now` and `today` are when the record came in, not when it is mapped. */
function atClock(filter: Liquid["filters"][string] | undefined, clock: { readonly now: number }): FilterHandler {
  const original = typeof filter === "function" ? filter : filter?.handler;
  return function (value: unknown, ...rest: unknown[]) {
    return original?.call(this, value === "now" || value === "today" ? clock.now / 1000 : value, ...rest);
  };
}

function refusedFilter(name: string): FilterHandler {
  return () => {
    throw new Error(`the filter "${name}" is not allowed`);
  };
}

function refusedTag(name: string) {
  const refuse = (): never => {
    throw new Error(`the tag "${name}" is not allowed`);
  };
  return { parse: refuse, render: refuse };
}
