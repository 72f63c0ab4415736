/** What values of the configuration are made of. */

import * as z from "zod";
import { isSecret, type Secret } from "./secret.ts";

/** What a secret looks like in the file. */
export const REFERENCE = "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$";

/** `writeOnly` is what tells the reader of the file that the place holds a secret. */
export const secret = (description: string) =>
  z.custom<Secret>(isSecret).meta({ type: "string", writeOnly: true, pattern: REFERENCE, description });

export const count = (most: number) => z.int().min(1).max(most);
export const webAddress = z
  .url({ protocol: /^https?$/ })
  .refine((url) => URL.parse(url)?.username === "" && URL.parse(url)?.password === "");
export const rate = z.number().positive().max(1_000_000).nullable();
