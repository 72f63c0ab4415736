/** A mapping file and the mappings it extends, each read, with the problems found in it. */

import { isJsonObject } from "../json.ts";
import { type MappingEnvironment, type MappingSource, NO_ENVIRONMENT } from "./environment.ts";
import { type FileForm, readForm } from "./form.ts";
import { type MappingProblem, readMappingText } from "./mapping-text.ts";
import type { Dialect, PathSegment, PlacedProblem, Scope } from "./scope.ts";

export interface Layer {
  readonly file: string;
  readonly environment: MappingEnvironment;
  readonly dialect: Dialect;
  /** Whether the file leaves open that it was written for Segment. */
  readonly comparesSegment: boolean;
  /** Null where there is no object. */
  readonly form: FileForm | null;
  /** Open: whoever checks it adds to them. */
  readonly problems: PlacedProblem[];
  place(problems: readonly PlacedProblem[]): readonly MappingProblem[];
  lineOf(at: readonly PathSegment[]): number;
}

/** The scope in which a layer's parts are compiled. */
export type ScopeOf = (layer: Layer) => Scope;

const DEEPEST = 8;

/** Whether all of them were found and read, whatever is wrong with them. */
export function isComplete(layers: readonly Layer[]): boolean {
  return layers.at(-1)?.form?.isExtension === false;
}

/** The file itself first, then what it extends, and so on: until one extends nothing, or cannot be read. */
export function readLayers(source: MappingSource): readonly Layer[] {
  const layers: Layer[] = [];
  let next: MappingSource | null = source;
  while (next) {
    const layer = readLayer(next);
    const from: MappingSource = next;
    layers.push(layer);
    next = extendedBy(layer, from, layers);
  }
  return layers;
}

function readLayer({ text, file, environment = NO_ENVIRONMENT }: MappingSource): Layer {
  const read = readMappingText(text, file);
  const problems: PlacedProblem[] = [];
  if ("problems" in read) {
    const unread = { form: null, dialect: "prickle", comparesSegment: true, lineOf: () => 1 } as const;
    return { ...unread, file, environment, problems, place: () => read.problems };
  }
  const { content, found, place } = read;
  problems.push(...found);
  const form = readForm(content, problems);
  const lineOf = (at: readonly PathSegment[]) => place([{ at, severity: "error", message: "" }])[0]?.line ?? 1;
  const comparesSegment = !(isJsonObject(content) && content.dialect === "prickle");
  const dialect = form?.dialect ?? "prickle";
  return { file, environment, dialect, comparesSegment, form, problems, place, lineOf };
}

function extendedBy(layer: Layer, from: MappingSource, layers: readonly Layer[]): MappingSource | null {
  const { form, environment, problems } = layer;
  if (!form || form.extends === null) return null;
  const found = environment.preset(form.extends, from.file);
  const wrong = "absent" in found ? found.absent : unending(found.file, layers);
  if (wrong !== null) problems.push({ at: ["extends"], severity: "error", message: wrong });
  return "absent" in found || wrong !== null ? null : found;
}

function unending(file: string, layers: readonly Layer[]): string | null {
  const circle = layers.findIndex((layer) => layer.file === file);
  if (circle >= 0) return `extends in a circle: ${[...layers.slice(circle).map((one) => one.file), file].join(" → ")}`;
  return layers.length >= DEEPEST ? `more than ${DEEPEST} mappings extend each other` : null;
}
