/** The JSON Schema of mapping files, for editors. */

import * as z from "zod";
import type { JsonObject } from "../json.ts";
import { DIRECTIVES } from "./directives.ts";
import { expression, mappingFileSchema } from "./file-schema.ts";

/** JSON Schema (draft 2020-12) of a mapping file, for editors. */
export function mappingJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(mappingFileSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === expression) Object.assign(jsonSchema, valueSchema());
    },
  });
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

function valueSchema(): JsonObject {
  const inner = { $ref: "#/$defs/value" };
  const directives = [...DIRECTIVES.keys()].map((name) => [name, inner]);
  return {
    type: ["string", "number", "boolean", "null", "array", "object"],
    items: inner,
    properties: { ...Object.fromEntries(directives), _metadata: { type: "object" } },
    additionalProperties: inner,
  };
}
