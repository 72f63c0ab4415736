/** The engine's rules once more, as plainly as they can be put, in memory. */

import type { JsonObject, JsonValue } from "../../src/core/json.ts";

export interface ModelEvent {
  readonly kind: "event";
  readonly seed: number;
  readonly event: string;
  readonly day: number;
  readonly company: string | null;
  readonly plan: JsonValue;
}

export interface ModelIdentify {
  readonly kind: "identify";
  readonly seed: number;
  readonly day: number;
  readonly company: string;
  readonly set: JsonObject;
}

export type ModelMessage = ModelEvent | ModelIdentify;

export interface Model {
  apply(message: ModelMessage): void;
  /** Key → properties, of listed groups. */
  groups(): Readonly<Record<string, JsonObject>>;
  /** Day → companies with an event. */
  companiesByDay(event: string | null): Readonly<Record<number, number>>;
  totalByPlan(): ReadonlyMap<string, number>;
}

export function createModel(): Model {
  const seen = new Set<string>();
  const groups = new Map<string, JsonObject>();
  const events: ModelEvent[] = [];
  return {
    apply(message) {
      const name = message.kind === "event" ? message.event : "$groupidentify";
      const identity = `${message.seed} ${name} ${message.day}`;
      if (seen.has(identity)) return;
      seen.add(identity);
      if (message.kind === "event") events.push(message);
      else groups.set(message.company, Object.assign({}, groups.get(message.company), message.set));
    },
    groups: () => Object.fromEntries([...groups].filter(([, properties]) => Object.keys(properties).length > 0)),
    companiesByDay(event) {
      const byDay = Map.groupBy(events.filter(isIn(event)), ({ day }) => day);
      return Object.fromEntries([...byDay].map(([day, some]) => [day, distinctCompanies(some)]));
    },
    totalByPlan() {
      const byPlan = Map.groupBy(events.filter(isIn(null)), ({ plan }) => JSON.stringify(plan));
      return new Map([...byPlan].map(([plan, some]) => [plan, distinctCompanies(some)]));
    },
  };
}

function isIn(event: string | null): (one: ModelEvent) => boolean {
  return (one) => one.company !== null && (event === null || one.event === event);
}

function distinctCompanies(events: readonly ModelEvent[]): number {
  return new Set(events.map(({ company }) => company)).size;
}
