/** What editors are told of each directive: its argument, key by key. */

import type { JsonObject } from "../json.ts";

const value: JsonObject = { $ref: "#/$defs/value" };
const texts: JsonObject = { type: "array", items: { type: "string" } };
const path: JsonObject = { anyOf: [{ type: "string", examples: ["$.traits.plan"] }, directiveOnly()] };
const flag = (description: string): JsonObject => ({ type: "boolean", description });
const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: "string", description, ...more });
const words = (...allowed: readonly string[]): JsonObject => ({ enum: [...allowed] });
const described = (description: string, schema: JsonObject): JsonObject => ({ ...schema, description });
const otherwise = (fallback: string): JsonObject => ({
  enum: ["refuse", "pass", "null", "omit", null],
  default: fallback,
  description: "For a value it can do nothing with: refuse the output, pass it, null, or nothing.",
});

/** An object with these keys and no others. */
function keys(properties: JsonObject, ...required: readonly string[]): JsonObject {
  return { type: "object", properties, required: [...required], additionalProperties: false };
}

function directiveOnly(): JsonObject {
  return { type: "object", $ref: "#/$defs/value" };
}

/** A schema by directive, each with a description. A test holds the names to those the compiler knows. */
export const DIRECTIVE_SCHEMAS: Readonly<Record<string, JsonObject>> = {
  "@path": described("The value at a path such as $.traits['billing.city'], or nothing.", path),
  "@template": described("Text with {{path}} in it.", { anyOf: [{ type: "string" }, directiveOnly()] }),
  "@if": described(
    "`then` where a value is there, else `else`.",
    keys({
      exists: described("Neither missing nor null.", value),
      blank: described('Nor "": holds where the value is NOT blank.', value),
      // biome-ignore lint/suspicious/noThenProperty: that is how @if is written
      then: value,
      else: value,
    }),
  ),
  "@case": described("Lower or upper case.", keys({ operator: words("lower", "upper"), value }, "operator")),
  "@replace": described(
    "Every occurrence of a text replaced.",
    keys(
      {
        value,
        pattern: text("A text, not a regular expression.", { minLength: 1, maxLength: 10 }),
        replacement: text("Instead of it.", { type: ["string", "null"], maxLength: 10 }),
        pattern2: text("Replaced after the first.", { maxLength: 10 }),
        replacement2: text("Instead of the second.", { type: ["string", "null"], maxLength: 10 }),
        ignorecase: flag("Whatever the case."),
        global: flag("Every occurrence (default), or the first."),
      },
      "value",
      "pattern",
    ),
  ),
  "@arrayPath": described("A list: each item through a shape, in which $. is the item.", {
    type: "array",
    prefixItems: [path, value],
    minItems: 1,
    maxItems: 2,
  }),
  "@literal": described("The value as it is written.", value),
  "@flatten": described(
    "Nested keys joined.",
    keys(
      { value, separator: text("Between the keys.", { minLength: 1 }), omitArrays: flag("Lists stay.") },
      "value",
      "separator",
    ),
  ),
  "@json": described("JSON text, or what it says.", keys({ mode: words("encode", "decode"), value }, "mode", "value")),
  "@merge": described(
    "One object of several; the later wins, with `left` the earlier.",
    keys({ objects: { type: "array", items: value }, direction: words("right", "left") }, "objects"),
  ),
  "@transform": described(
    "A value that reads what `apply` made.",
    keys({ apply: value, mapping: value }, "apply", "mapping"),
  ),
  "@excludeWhenNull": described("Without nulls.", value),
  "@liquid": text("A Liquid template.", { maxLength: 1000 }),
  "@coalesce": described('The first that is neither missing, null nor "".', { type: "array", items: value }),
  "@cast": described(
    "A number, boolean, text or date.",
    keys(
      {
        value,
        to: words("number", "integer", "boolean", "date", "datetime", "string"),
        zone: text("Of times that state none, such as Europe/Oslo."),
        format: text("Of text that is not ISO 8601, such as dd.MM.yyyy."),
        otherwise: otherwise("refuse"),
      },
      "value",
      "to",
    ),
  ),
  "@lookup": described(
    "A value through a table.",
    keys(
      {
        value,
        table: { type: "object", description: "From text to whatever." },
        file: text("A CSV file, its path from this one."),
        from: text("The column to look in."),
        to: text("The column that is given."),
        otherwise: otherwise("omit"),
      },
      "value",
    ),
  ),
  "@domain": described(
    "The registrable domain of a domain, URL or e-mail address.",
    keys({ value, freeMail: flag("Free mail counts too."), otherwise: otherwise("omit") }, "value"),
  ),
  "@pick": described("An object with these keys only.", keys({ value, keys: texts }, "value", "keys")),
  "@omit": described("An object without these keys.", keys({ value, keys: texts }, "value", "keys")),
  "@rename": described(
    "An object with other keys.",
    keys(
      {
        value,
        keys: { type: "object", additionalProperties: { type: "string" }, description: "From key to key." },
        case: words("snake", "camel"),
      },
      "value",
    ),
  ),
  "@hash": described(
    "A keyed hash, for personal data.",
    keys(
      {
        value,
        key: text(`A reference to an environment variable, as in \${NAME}.`, {
          pattern: "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$",
        }),
      },
      "value",
      "key",
    ),
  ),
  "@group": described(
    "The key or a property of a group that is known already.",
    keys(
      {
        type: text("The group type."),
        key: described("Its key.", value),
        where: {
          type: "object",
          minProperties: 1,
          maxProperties: 1,
          additionalProperties: value,
          description: "A property that only it has.",
        },
        property: text("That property of it, instead of its key."),
      },
      "type",
    ),
  ),
};
