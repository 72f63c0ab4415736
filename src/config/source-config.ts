/** A source as the configuration says it: one that calls prickle, or one that prickle asks. */

import type { MappingSource } from "../core/mapping/compile.ts";
import { isLoopback } from "./cross-checks.ts";
import type { ParsedConfig } from "./schema.ts";
import type { Secret } from "./secret.ts";

export type SourceConfig = PushSourceConfig | PullSourceConfig;

interface AnySourceConfig {
  readonly name: string;
  /** Its text, not yet compiled. */
  readonly mapping: MappingSource;
  /** Null: a run makes as many messages as there are. */
  readonly maxEventsPerRun: number | null;
}

export interface PushSourceConfig extends AnySourceConfig {
  readonly type: "segment";
  /** No two sources share one. */
  readonly writeKeys: readonly Secret[];
  /** The only source, on a loopback host, without write keys: calls with whatever key are its own. */
  readonly anyWriteKey: boolean;
  /** Null: no webhook, since it would be open to everybody. Without secrets and bearer every request passes: only on loopback hosts. */
  readonly webhook: { readonly secrets: readonly Secret[]; readonly bearer: Secret | null } | null;
}

type ParsedSource = ParsedConfig["sources"][string];
/** What the source of each type needs, as checked. */
export type PullSettings = Exclude<ParsedSource, { readonly type: "segment" }>;

export interface PullSourceConfig extends AnySourceConfig {
  readonly type: "pull";
  readonly settings: PullSettings;
  /** Null: only when somebody asks. */
  readonly schedule: {
    readonly cron: string;
    readonly timeZone: string;
    readonly jitterMs: number;
    readonly missed: "run" | "skip";
  } | null;
  readonly fullEveryMs: number;
  readonly removedEveryMs: number;
}

export interface SourceSurroundings {
  /** The only source there is. */
  readonly alone: boolean;
  /** What the server listens on. */
  readonly host: string;
}

export function sourceOf(
  name: string,
  parsed: ParsedSource,
  mapping: MappingSource,
  around: SourceSurroundings,
): SourceConfig {
  const { maxEventsPerRun } = parsed;
  const shared = { name, mapping, maxEventsPerRun };
  if (parsed.type === "segment") return { ...shared, ...pushed(parsed, around) };
  const { schedule, fullEvery, removedEvery } = parsed;
  const every = { fullEveryMs: fullEvery, removedEveryMs: removedEvery };
  return { ...shared, type: "pull", settings: parsed, schedule: schedule ? timetableOf(schedule) : null, ...every };
}

function timetableOf({ jitter, ...schedule }: NonNullable<PullSettings["schedule"]>): PullSourceConfig["schedule"] {
  return { ...schedule, jitterMs: jitter };
}

function pushed(
  { type, writeKeys = [], webhook }: Extract<ParsedSource, { readonly type: "segment" }>,
  { alone, host }: SourceSurroundings,
): Omit<PushSourceConfig, keyof AnySourceConfig> {
  const secrets = webhook?.secrets ?? [];
  const bearer = webhook?.bearer ?? null;
  const isGuarded = secrets.length > 0 || bearer !== null;
  const isOpen = isLoopback(host);
  return {
    type,
    writeKeys,
    anyWriteKey: isOpen && alone && writeKeys.length === 0,
    webhook: isGuarded || isOpen ? { secrets, bearer } : null,
  };
}
