/** `npm run bench [-- name… --quick]`: runs the benchmarks one after the other and prints goals beside what was measured. */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { attribution } from "./attribution.ts";
import { backfill } from "./backfill.ts";
import { batches } from "./batches.ts";
import { type Benchmark, type Finding, type Measured, reached } from "./benchmark.ts";
import { drain } from "./drain.ts";
import { endToEnd } from "./end-to-end.ts";
import { mapping } from "./mapping.ts";
import { singleCalls } from "./single-calls.ts";
import { slowDisk } from "./slow-disk.ts";

const BROKE = "broke";
const BENCHMARKS: readonly Benchmark[] = [
  mapping,
  singleCalls,
  batches,
  slowDisk,
  endToEnd,
  drain,
  backfill,
  attribution,
];

const { values, positionals } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});

const known = BENCHMARKS.map(({ name }) => name);
const unknown = positionals.filter((name) => !known.includes(name));
if (values.list || values.help || unknown.length > 0) {
  console.log("npm run bench [-- name… --quick]\n");
  if (unknown.length > 0) console.log(`There is no benchmark ${unknown.join(", ")}.\n`);
  for (const { name, about } of BENCHMARKS) console.log(`${name.padEnd(14)}${about}`);
} else {
  await runBenchmarks(BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)));
}

async function runBenchmarks(chosen: readonly Benchmark[]): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "prickle-bench-"));
  const rows: [string, Finding][] = [];
  try {
    for (const benchmark of chosen) {
      for (const finding of await runOne(benchmark, join(scratch, benchmark.name)))
        rows.push([benchmark.name, finding]);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  console.log(`\n${tableOf(rows)}\n`);
  console.log(
    `Node ${process.versions.node}, ${cpus().length} cores shared by load, servers and sinks. Ratios (x) are within this run.`,
  );
  if (values.quick) console.log("--quick: rounds are too short for the figures to mean anything.");
  process.exit(rows.some(([, { what }]) => what === BROKE) ? 1 : 0);
}

/** A benchmark that breaks is told and does not stop the others. */
async function runOne({ name, about, run }: Benchmark, scratch: string): Promise<readonly Finding[]> {
  console.error(`── ${name}: ${about}`);
  await mkdir(scratch, { recursive: true });
  try {
    return await run({ quick: values.quick, scratch, log: (line) => console.error(`   ${line}`) });
  } catch (thrown) {
    console.error(thrown);
    return [{ kind: "skipped", what: BROKE, why: thrown instanceof Error ? thrown.message : String(thrown) }];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function tableOf(rows: readonly (readonly [string, Finding])[]): string {
  const table = new Table({
    head: ["benchmark", "what", "goal", "measured", "", "figures"],
    style: { head: [], border: [], compact: true },
    colWidths: [null, 44, null, null, null, 52],
    wordWrap: true,
  });
  for (const [name, finding] of rows) {
    if (finding.kind === "skipped") table.push([name, finding.what, "", "–", "skipped", finding.why]);
    else table.push([name, finding.what, goalOf(finding), figureOf(finding), verdictOf(finding), finding.note]);
  }
  return table.toString();
}

function goalOf({ goal, unit }: Measured): string {
  if (goal === null) return "";
  return "atLeast" in goal ? `≥ ${goal.atLeast} ${unit}` : `≤ ${goal.atMost} ${unit}`;
}

function figureOf({ value, unit }: Measured): string {
  return `${value.toFixed(value < 20 ? 2 : 0)} ${unit}`;
}

function verdictOf(finding: Measured): string {
  const held = reached(finding);
  if (held === null) return "";
  return held ? "reached" : "MISSED";
}
