/** Whether two names of group types are likely meant to be one. */

import { distance } from "fastest-levenshtein";

/** Shorter names differ by a letter on purpose: org and orb. */
const LEAST_LETTERS = 4;

export type NameDifference = "case" | "plural and singular" | "one letter";

/** By what alone two names differ; null when they are equal or differ by more. */
export function likeness(one: string, other: string): NameDifference | null {
  if (one === other) return null;
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  if (a === b) return "case";
  if (isPluralOf(a, b) || isPluralOf(b, a)) return "plural and singular";
  return isOneLetterApart(a, b) ? "one letter" : null;
}

function isPluralOf(word: string, singular: string): boolean {
  if (word === `${singular}s` || word === `${singular}es`) return true;
  return singular.endsWith("y") && word === `${singular.slice(0, -1)}ies`;
}

/** A digit is no letter: tier1 and tier2 are two things. */
function isOneLetterApart(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < LEAST_LETTERS || Math.abs(a.length - b.length) > 1) return false;
  return digitsOf(a) === digitsOf(b) && distance(a, b) === 1;
}

function digitsOf(name: string): string {
  return name.replace(/\D/g, "");
}
