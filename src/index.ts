/** The public API: open a connector in a program of one's own, and the ports to add a source, a destination or a ledger. */

export { type Config, type ConfigInput, createSecret, loadConfig, parseConfig, type Secret } from "./config.ts";
export { type Connector, type ConnectorDependencies, openConnector } from "./connector.ts";
export type {
  Group,
  GroupPage,
  GroupsQuery,
  GroupType,
  Trends,
  TrendsQuery,
} from "./core/analytics.ts";
export type { Clock } from "./core/clock.ts";
export type { Destination, DestinationLimits, Outcome } from "./core/destination.ts";
export { ERRORS, type ErrorCode, PrickleError } from "./core/errors.ts";
export type { Ledger } from "./core/ledger.ts";
export type { Logger, Observer } from "./core/observer.ts";
export type { Operations } from "./core/operations.ts";
export type { Page, PullSource, PushDoor, PushIntake, PushRequest } from "./core/source.ts";
export { createLogger, type LogLevel } from "./platform/logger.ts";
