#!/usr/bin/env node
// Starts the command line, with a Node that is new enough: it must itself run on older ones.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const NEEDED = 24;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");

if (Number(process.versions.node.split(".")[0]) >= NEEDED) await runHere();
else runWithOtherNode();

async function runHere() {
  // Halves the time a command takes to start.
  module.enableCompileCache?.();
  const built = join(root, "dist", "cli", "main.js");
  await import(pathToFileURL(existsSync(built) ? built : join(root, "src", "cli", "main.ts")).href);
}

/** The npm package `node` brings a newer Node: beside us in a checkout, or beside the packages of who installed us. */
function runWithOtherNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const other = [join(root, "node_modules"), join(root, "..")]
    .map((modules) => join(modules, "node", "bin", name))
    .find((path) => existsSync(path));
  if (other === undefined) {
    process.stderr.write(`prickle: it needs Node ${NEEDED} or newer; this is Node ${process.versions.node}.\n`);
    process.stderr.write("Install a newer Node, or put one beside prickle: npm install node@24\n");
    process.exitCode = 78;
    return;
  }
  const child = spawn(other, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; a service manager only to us.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => forward(child, signal));
  child.on("error", (error) => {
    process.stderr.write(`prickle: ${other} could not be started: ${error.message}\n`);
    process.exitCode = 78;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code === null ? 128 + (signal === "SIGKILL" ? 9 : 15) : code;
  });
}

function forward(child, signal) {
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  if (signal === "SIGINT" && hasTerminal) return;
  child.kill(signal);
}
