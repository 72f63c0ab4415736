import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format, inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type CheckedConfig, checkConfig, createSecret, loadConfig, problemLine } from "../src/config.ts";
import { createLogger } from "../src/platform/logger.ts";

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "prickle-secrets-"));
});

afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Long enough not to occur by chance. */
const secretText = fc.stringMatching(/^[A-Za-z0-9_:@/-]{12,30}$/);

/** Every way in which people look at a value. */
function looks(value: unknown): string {
  const logged: string[] = [];
  createLogger("info", { write: (line: string) => void logged.push(line) }).info({ value }, "looked at");
  return [
    inspect(value, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(value),
    format("%s %o %j", value, value, value),
    ...logged,
  ].join("\n");
}

describe("a secret", () => {
  it("is given only to who asks for it", () => {
    const secret = createSecret("hush");
    expect(secret.reveal()).toBe("hush");
    expect(`${secret}`).toBe("[secret]");
    expect(looks({ deep: [secret] })).not.toContain("hush");
    expect(Object.values(secret).filter((part) => part === "hush")).toEqual([]);
  });

  it("never shows in a configuration, however it is looked at", () => {
    fc.assert(
      fc.property(secretText, secretText, (one, other) => {
        write({
          server: { adminToken: "${ONE}" },
          sources: {
            s: { type: "segment", writeKeys: ["${OTHER}"], webhook: { secrets: ["${ONE}"], bearer: "${OTHER}" } },
          },
          destinations: { p: { type: "posthog", host: "https://x.example", token: "${OTHER}" } },
        });
        const config = loadConfig({ env: { ONE: one, OTHER: other }, cwd });
        expect(config.destinations[0]?.type === "posthog" && config.destinations[0].token.reveal()).toBe(other);
        expect(looks(config)).not.toContain(one);
        expect(looks(config)).not.toContain(other);
      }),
      { numRuns: 30 },
    );
  });

  it("never shows in problems, wherever it was put by mistake", () => {
    const anywhere = fc.constantFrom<(value: string) => object>(
      (value) => ({ server: { adminToken: value } }),
      (value) => ({ server: { adminToken: [value] } }),
      (value) => ({ server: value }),
      (value) => ({ sources: { s: { type: "segment", webhook: value } } }),
      (value) => ({ sources: { s: { type: "segment", webhook: { secrets: value } } } }),
      (value) => ({ sources: { s: { type: "segment", webhook: { secrets: [value, value, value] } } } }),
      (value) => ({ sources: { s: { type: "segment", writeKeys: value } } }),
      (value) => ({ sources: { s: { type: "segment", webhook: { secret: value } } } }),
      (value) => ({ destinations: { p: { type: "posthog", host: "https://x.example", token: value } } }),
      (value) => ({ destinations: { p: { type: "posthog", host: `https://${value}:x@x.example`, token: "${SET}" } } }),
      (value) => ({ destinations: { p: { type: "posthog", host: "https://x.example", apiKey: value } } }),
      (value) => ({ destinations: { p: value } }),
    );
    fc.assert(
      fc.property(anywhere, secretText, fc.boolean(), (put, secret, literal) => {
        const text = secret.replaceAll(/[:@/]/g, "_");
        write(put(literal ? text : "${SECRET}"));
        const checked = checkConfig({ env: { SECRET: text, SET: "set" }, cwd });
        expect(shownBy(checked)).not.toContain(text);
        if (literal) expect(checked.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("never shows where the file is no YAML", () => {
    fc.assert(
      fc.property(
        secretText,
        fc.constantFrom("token: [", "token: {a: ", "token: 'x", "- token: ", "token: x: ", "*"),
        (secret, before) => {
          writeFileSync(join(cwd, "prickle.yaml"), `${before}${secret}\n\tx: ${secret}: ]`);
          const checked = checkConfig({ env: {}, cwd });
          expect(checked.problems.length).toBeGreaterThan(0);
          expect(shownBy(checked)).not.toContain(secret);
        },
      ),
      { numRuns: 100 },
    );
  });
});

function write(content: object): void {
  writeFileSync(join(cwd, "prickle.yaml"), stringify(content));
}

function shownBy(checked: CheckedConfig): string {
  return `${looks(checked)}\n${checked.problems.map(problemLine).join("\n")}`;
}
