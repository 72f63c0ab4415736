/** The JSON Schema of mapping files, for editors. */

import * as z from "zod";
import { isJsonObject, type JsonObject } from "../json.ts";
import { DIRECTIVE_SCHEMAS } from "./directive-schemas.ts";
import { expression, extensionSchema, mappingFileSchema } from "./file-schema.ts";
import { ROOT_DIRECTIVE } from "./root-directive.ts";

/** JSON Schema (draft 2020-12): of a mapping that extends another where the file says so, else of one that stands alone. */
export function mappingJsonSchema(): JsonObject {
  const [alone, extension] = [schemaOf(mappingFileSchema), schemaOf(extensionSchema)];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A mapping of prickle",
    if: { required: ["extends"] },
    // biome-ignore lint/suspicious/noThenProperty: that is how JSON Schema is written
    then: extension.form,
    else: alone.form,
    $defs: alone.definitions,
  };
}

function schemaOf(schema: z.ZodType): { readonly form: JsonObject; readonly definitions: JsonObject } {
  const whole = z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      if ((zodSchema as unknown) === expression) Object.assign(jsonSchema, valueSchema());
    },
  });
  const { $schema: _, $defs: definitions, ...form } = JSON.parse(JSON.stringify(whole)) as JsonObject;
  return { form, definitions: isJsonObject(definitions) ? definitions : {} };
}

/** Whatever JSON has; an object with a directive has nothing else but `_metadata`. */
function valueSchema(): JsonObject {
  const inner = { $ref: "#/$defs/value" };
  return {
    type: ["string", "number", "boolean", "null", "array", "object"],
    items: inner,
    properties: { ...DIRECTIVE_SCHEMAS, _metadata: { type: "object" }, [ROOT_DIRECTIVE]: { type: "object" } },
    patternProperties: { "^(?!@|__segment_internal_directive$)": inner },
    additionalProperties: false,
  };
}
