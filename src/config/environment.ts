/** Puts the values of environment variables where prickle.yaml says ${NAME}. */

import type { Finding, Path } from "./problem.ts";
import { isSecretNode, nodeAt, takesNumber } from "./schema-node.ts";
import { createSecret, isSecret } from "./secret.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substituted {
  readonly data: unknown;
  readonly findings: readonly Finding[];
  /** Paths, as JSON, of values that came from the environment: never to be shown. */
  readonly fromEnvironment: ReadonlySet<string>;
}

const ANY_REFERENCE = /\$\{([^}]*)\}?/g;
const WHOLE_REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Secrets come out wrapped. Where a variable is missing, a place keeps its text, and a finding names both. */
export function substitute(data: unknown, environment: Environment): Substituted {
  const findings: Finding[] = [];
  const fromEnvironment = new Set<string>();
  const visit = (value: unknown, at: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...at, index]));
    if (isSecret(value)) return value;
    if (isPlainObject(value))
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner, [...at, key])]));
    if (typeof value !== "string" || !value.includes("${")) return value;
    fromEnvironment.add(JSON.stringify(at));
    const node = nodeAt(at, data);
    if (isSecretNode(node)) return secretOf(value, at);
    const text = value.replace(ANY_REFERENCE, (reference, name: string) => look(reference, name, at));
    return takesNumber(node) && WHOLE_REFERENCE.test(value) && text.trim() !== "" && Number.isFinite(Number(text))
      ? Number(text)
      : text;
  };
  const secretOf = (value: string, at: Path) => {
    const name = WHOLE_REFERENCE.exec(value)?.[1];
    if (name !== undefined) return createSecret(look(value, name, at));
    findings.push({
      at,
      found: "a value with ${ in it (not shown)",
      allowed: `\${NAME} and nothing else`,
      hint: "Put the whole secret into one environment variable; defaults are not supported.",
    });
    return createSecret("?");
  };
  const look = (reference: string, name: string, at: Path): string => {
    const value = NAME.test(name) && reference.endsWith("}") ? environment[name] : undefined;
    if (value !== undefined && value !== "") return value;
    findings.push(NAME.test(name) ? missing(name, at, value) : malformed(at));
    return reference;
  };
  return { data: visit(data, []), findings, fromEnvironment };
}

function missing(name: string, at: Path, value: string | undefined): Finding {
  return {
    at,
    found: `\${${name}}, but the environment variable ${name} is ${value === "" ? "empty" : "not set"}`,
    allowed: "",
    hint: `Set it before prickle starts: export ${name}=…`,
  };
}

function malformed(at: Path): Finding {
  return {
    at,
    found: "a reference that is no name (not shown)",
    allowed: `\${NAME} of letters, digits and _`,
    hint: `Defaults such as \${NAME:-x} are not supported.`,
  };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
