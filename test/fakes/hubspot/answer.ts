/** Answers of a fake HubSpot, and its refusals. */

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is text. */
  readonly body: unknown;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

export const CORRELATION = "c0ffee00-0000-4000-8000-000000000001";

export function ok(body: unknown, status = 200): Answer {
  return { status, body };
}

export function refusal(status: number, category: string, message: string, context: object = {}): Answer {
  return { status, body: { status: "error", message, correlationId: CORRELATION, category, context } };
}

export function invalid(message: string): Answer {
  return refusal(400, "VALIDATION_ERROR", message);
}

/** What the real one does not know it does not take. */
export function unknownIn(
  { query, body }: Asked,
  parameters: readonly string[],
  keys: readonly string[],
): Answer | null {
  const parameter = [...query.keys()].find((name) => !parameters.includes(name));
  if (parameter !== undefined) return invalid(`Unknown parameter ${parameter}`);
  const key = Object.keys(body).find((name) => !keys.includes(name));
  return key === undefined ? null : invalid(`Invalid input JSON: unrecognized field "${key}"`);
}
