/** From the options of `prickle backfill` to what is asked of the operations. */

import { basename, extname, resolve } from "node:path";
import { DateTime } from "luxon";
import { type ConfigOptions, loadMapping, peekConfig } from "../config.ts";
import { PrickleError } from "../core/errors.ts";
import type { MappingSource } from "../core/mapping/compile.ts";
import type { BackfillRequest } from "../core/operations.ts";
import { STDIN } from "./stdin-file.ts";

export interface BackfillOptions {
  readonly source?: string;
  readonly mapping?: string;
  readonly as?: string;
  readonly idColumn?: string;
  readonly timeColumn?: string;
  readonly zone?: string;
  readonly encoding?: string;
  readonly from?: string;
  readonly to?: string;
  readonly wait: boolean;
  readonly inOrder?: boolean;
  readonly dryRun?: boolean;
  readonly rate?: string;
  readonly maxEvents?: number;
  readonly price?: number;
}

export interface Requested {
  /** Standard input is still `-` in it. */
  readonly request: BackfillRequest;
  /** That reads without a source; null: a source reads. */
  readonly mapping: MappingSource | null;
}

/** @throws USAGE, NOT_FOUND */
export function requestOf(paths: readonly string[], options: BackfillOptions, configOptions: ConfigOptions): Requested {
  const { wait, inOrder, dryRun, maxEvents, as: form, idColumn, timeColumn, zone, encoding } = options;
  const mapping = options.mapping === undefined ? null : loadMapping(options.mapping, configOptions);
  const request: BackfillRequest = {
    paths: paths.map((path) => (path === STDIN ? path : resolve(configOptions.cwd, path))),
    source: mapping?.name ?? options.source ?? onlySource(configOptions),
    mapping: mapping ? mappingNamed(options.mapping ?? "", configOptions) : undefined,
    ...{ waitForDelivery: wait && !dryRun, isInOrder: inOrder, isDryRun: dryRun, maxEvents },
    ...{ perSecond: perSecond(options.rate), ...windowOf(options) },
    ...{ form, idColumn, timeColumn, zone, encoding },
  };
  return { request, mapping };
}

/** As another process finds it too. */
function mappingNamed(mapping: string, { cwd }: ConfigOptions): string {
  return mapping === basename(mapping) && extname(mapping) === "" ? mapping : resolve(cwd, mapping);
}

function windowOf({ from: first, to: last, zone = "utc" }: BackfillOptions) {
  const [from, to] = [instant("from", first, zone), instant("to", last, zone)];
  if (from !== undefined && to !== undefined && from >= to)
    throw new PrickleError("USAGE", `--from ${first} is not before --to ${last}`);
  return { from, to };
}

function instant(option: string, text: string | undefined, zone: string): number | undefined {
  if (text === undefined) return undefined;
  const time = DateTime.fromISO(text, { zone });
  if (time.isValid) return time.toMillis();
  throw new PrickleError(
    "USAGE",
    `--${option}: found ${JSON.stringify(text)}; a date such as 2026-01-31 or a time such as 2026-01-31T12:00Z is allowed`,
  );
}

function perSecond(rate: string | undefined): number | undefined {
  if (rate === undefined) return undefined;
  const number = Number(/^(\d{1,9})(?:\/s)?$/.exec(rate)?.[1] ?? 0);
  if (number > 0) return number;
  throw new PrickleError(
    "USAGE",
    `--rate: found ${JSON.stringify(rate)}; records a second, such as 500/s, are allowed`,
  );
}

function onlySource(configOptions: ConfigOptions): string {
  const { sources } = peekConfig(configOptions);
  const [only, other] = sources;
  if (only !== undefined && other === undefined) return only;
  throw new PrickleError("USAGE", `Which source reads it? There are ${sources.join(", ") || "none"}.`, {
    hint: "Say it with --source NAME, or --mapping NAME to read without a source.",
  });
}
