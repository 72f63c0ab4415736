/** Exports of a fake HubSpot (facts: HubSpot, 12): a task, its states over time, and a file that lies with another host for a while. */

import { type Answer, type Asked, invalid, ok, refusal, unknownIn } from "./answer.ts";
import { type ExportForm, exportFile } from "./export-file.ts";
import { objectOf } from "./objects.ts";
import type { HubspotStore, StoredCompany } from "./store.ts";

export interface ExportSettings extends ExportForm {
  /** From the request on. */
  readyAfterMs: number;
  /** Instead of getting ready: what its detail says then, such as FAILED; null: it gets ready. */
  endsAs: string | null;
  /** After that nobody knows of it. */
  livesMs: number;
  /** Of an address; each time the status is asked for gives a new one. */
  addressLivesMs: number;
  /** Whether the detail is found under the task's id. */
  tellsDetail: boolean;
  countsRows: (count: number) => number | null;
  errorCount: number;
  /** A company as the export has it, which may be behind; null: it does not have it. */
  sees: (company: StoredCompany) => StoredCompany | null;
  /** The bytes that are given. */
  damages: (file: Buffer) => Buffer;
  /** What becomes of the next download; null: it is given. */
  interfereDownload: (count: number) => "cut" | { readonly status: number; readonly location?: string } | null;
}

export interface FakeExports {
  readonly settings: ExportSettings;
  /** Tasks asked for so far. */
  readonly tasks: readonly { readonly id: string; readonly names: readonly string[] }[];
  /** Null: it is about something else. */
  answer(asked: Asked): Answer | null;
  /** The file behind the path of an address; null: it expired, or was never given. */
  file(path: string): Promise<Buffer | null>;
}

interface Task {
  readonly id: string;
  readonly at: number;
  readonly names: readonly string[];
  readonly rows: readonly Readonly<Record<string, string | null>>[];
}

const ROOT = "/crm/exports/2026-09/export";
const ALLOWED = {
  exportType: "VIEW",
  format: "CSV",
  objectType: "COMPANY",
  language: "EN",
  associatedObjectType: [],
  includeLabeledAssociations: false,
  includePrimaryDisplayPropertyForAssociatedObjects: false,
  overrideAssociatedObjectsPerDefinitionPerRowLimit: false,
  exportInternalValuesOptions: ["NAMES", "VALUES"],
  publicCrmSearchRequest: { filters: [], filterGroups: [], sorts: [], query: "" },
};

export function createFakeExports(store: HubspotStore, now: () => number, host: () => string): FakeExports {
  const settings = defaultSettings();
  const tasks: Task[] = [];
  const addresses = new Map<string, { readonly task: Task; readonly until: number }>();

  function request(asked: Asked): Answer {
    const { body } = asked;
    const wrong = unknownIn(asked, [], [...Object.keys(ALLOWED), "exportName", "objectProperties"]);
    if (wrong) return wrong;
    for (const [key, value] of Object.entries(ALLOWED)) {
      if (JSON.stringify(body[key]) !== JSON.stringify(value)) return invalid(`${key} cannot be that`);
    }
    const { exportName, objectProperties: names } = body;
    if (typeof exportName !== "string" || !Array.isArray(names)) return invalid("exportName, objectProperties");
    const columns = names.map(String).filter((name) => store.properties.has(name));
    const seen = [...store.live(), ...store.archived()].flatMap((company) => settings.sees({ ...company }) ?? []);
    const rows = seen.map((company) => objectOf(company, columns, store).properties);
    const task = { id: String(5000 + tasks.length), at: now(), names: columns, rows };
    tasks.push(task);
    return ok({ id: task.id }, 202);
  }

  function stateOf({ at }: Task): string {
    const passed = now() - at;
    if (passed < settings.readyAfterMs / 2) return "ENQUEUED";
    if (passed < settings.readyAfterMs) return "PROCESSING";
    return settings.endsAs ?? "DONE";
  }

  function status(task: Task): Answer {
    const state = stateOf(task);
    if (state !== "DONE") {
      const shown = state === "ENQUEUED" ? "PENDING" : state === "CANCELED" ? state : "PROCESSING";
      return ok({ status: shown, requestedAt: new Date(task.at).toISOString() });
    }
    const path = `/files/${task.id}?signature=${addresses.size}`;
    addresses.set(path, { task, until: now() + settings.addressLivesMs });
    return ok({ status: "COMPLETE", result: host() + path, numErrors: settings.errorCount });
  }

  function detail(task: Task): Answer {
    const state = stateOf(task);
    const recordCount = state === "DONE" ? settings.countsRows(task.rows.length) : 0;
    return ok({ id: task.id, exportState: state, exportName: "prickle companies", recordCount });
  }

  return {
    settings,
    tasks,
    answer(asked) {
      const { method, path } = asked;
      if (!path.startsWith(ROOT)) return null;
      if (method === "POST" && path === `${ROOT}/async`) return request(asked);
      const [, ofStatus, ofDetail] = /^(?:\/async\/tasks\/(\d+)\/status|\/(\d+))$/.exec(path.slice(ROOT.length)) ?? [];
      const task = tasks.find(({ id }) => id === (ofStatus ?? ofDetail));
      const isKnown = task && now() - task.at < settings.livesMs && (ofStatus || settings.tellsDetail);
      if (method !== "GET" || !isKnown) return refusal(404, "OBJECT_NOT_FOUND", "no such export");
      return unknownIn(asked, [], []) ?? (ofStatus ? status(task) : detail(task));
    },
    async file(path) {
      const found = addresses.get(path);
      if (!found || found.until <= now()) return null;
      return settings.damages(await exportFile(found.task, settings));
    },
  };
}

function defaultSettings(): ExportSettings {
  return {
    readyAfterMs: 20_000,
    endsAs: null,
    livesMs: 7 * 86_400_000,
    addressLivesMs: 300_000,
    tellsDetail: true,
    countsRows: (count) => count,
    errorCount: 0,
    sees: (company) => (company.archivedAt === null ? company : null),
    damages: (file) => file,
    interfereDownload: () => null,
    rowsPerFile: 1_000_000,
    isGzipped: false,
    hasByteOrderMark: false,
    lineEnd: "\n",
    writes: (_, text) => text,
    header: (names) => names,
    edits: (lines) => lines,
  };
}
