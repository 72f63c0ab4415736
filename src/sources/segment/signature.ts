/** X-Signature: lower-case hex HMAC-SHA1 over raw bytes. Source: facts on Segment, 1.3 (2026-11). */

import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { sliceFirstElement, sliceOnlyValue } from "./json-slice.ts";

/**
 * Whether one of the secrets signed the body, in any form in use: all of it; of a batch only its first element; or,
 * in the batches of the Extensible Webhook, the `json` value of the first element. Takes the same time for every wrong signature.
 *
 * In the latter two forms Segment leaves the other elements unsigned: only a bearer or an allow-list protects those.
 */
export function isSigned(body: Uint8Array, signature: string | undefined, secrets: readonly string[]): boolean {
  if (signature === undefined || !/^[0-9a-f]{40}$/i.test(signature)) return false;
  const given = Buffer.from(signature, "hex");
  let signed = false;
  for (const message of signedForms(body)) {
    for (const secret of secrets) {
      signed = timingSafeEqual(createHmac("sha1", secret).update(message).digest(), given) || signed;
    }
  }
  return signed;
}

/** Compares without telling by its time how much is right, nor how long the secret is. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", secret, "buffer"));
}

function signedForms(body: Uint8Array): readonly Uint8Array[] {
  const element = sliceFirstElement(body);
  if (!element) return [body];
  const inner = sliceOnlyValue(element, "json");
  return inner ? [body, element, inner] : [body, element];
}
