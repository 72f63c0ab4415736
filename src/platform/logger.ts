/** Structured log lines on stderr, by pino. */

import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import type { Logger } from "../core/observer.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines with ISO 8601 times; errors as their type, message and stack. `stream` defaults to stderr. */
export function createLogger(
  level: LogLevel,
  stream: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: asName } }, stream);
}

function asName(level: string): { level: string } {
  return { level };
}
