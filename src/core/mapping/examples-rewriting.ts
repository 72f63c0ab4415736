/** Puts what a mapping really makes into its file of examples, and leaves everything else of the text as it is. */

import { CST, isMap, isSeq, Lexer, parseDocument } from "yaml";
import { PrickleError } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { canonical, runExamples } from "./examples.ts";
import { editsOf } from "./examples-edits.ts";
import { type ExamplesFile, type ExamplesText, readExamples } from "./examples-file.ts";
import type { Mapping } from "./mapping.ts";
import { applyEdits } from "./text-edit.ts";

/** `refused`: why the text cannot be changed without loss, in one sentence. */
export type RewrittenExamples = { readonly text: string } | { readonly refused: string };

/**
 * The text with the messages, statements and problems of examples that fail replaced by the actual ones. Comments, order
 * and layout stay, and so does every message that is as expected. The new text was read and run: it says all the old one
 * says of inputs, it has all its comments, and every example in it passes.
 * @throws MAPPING_INVALID if the text is not a file of examples.
 */
export function rewriteExamples(mapping: Mapping, source: ExamplesText): RewrittenExamples {
  const text = rewrite(mapping, source);
  const refused = lossOf(mapping, source, text);
  return refused === null ? { text } : { refused };
}

function rewrite(mapping: Mapping, source: ExamplesText): string {
  const results = runExamples(mapping, source);
  const document = parseDocument(source.text);
  const examples = document.get("examples");
  if (!isSeq(examples)) return source.text;
  const written = { text: source.text, document, inBrackets: examples.flow === true };
  const edits = results.flatMap(({ passed, actual }, index) => {
    const example = examples.items[index];
    return passed || !isMap(example) ? [] : editsOf(example, actual, written);
  });
  return applyEdits(source.text, edits);
}

/** What the new text would lose, or null. */
function lossOf(mapping: Mapping, source: ExamplesText, text: string): string | null {
  const after = { ...source, text };
  try {
    if (givenIn(readExamples(after)) !== givenIn(readExamples(source)))
      return "what an example is given would no longer be what it is";
    const failing = runExamples(mapping, after).find(({ passed }) => !passed);
    if (failing) return `${JSON.stringify(failing.name)} would still not pass: an anchor may stand in the way`;
  } catch (thrown) {
    if (!(thrown instanceof PrickleError)) throw thrown;
    return `what comes of it could not be read: ${thrown.message.split("\n")[1] ?? thrown.message}`;
  }
  const comment = lostComment(source.text, text);
  return comment === null ? null : `the comment ${JSON.stringify(comment)} would be lost`;
}

/** All that a file of examples says beside what is expected. */
function givenIn({ environment, groups, examples }: ExamplesFile): string {
  const given = examples.map(({ name, input, groups: known }) => ({ name, input, groups: known }));
  return canonical({ environment, groups, examples: given } as unknown as JsonValue);
}

function lostComment(before: string, after: string): string | null {
  const kept = commentsIn(after);
  return (
    commentsIn(before).find((comment) => {
      const at = kept.indexOf(comment);
      if (at >= 0) kept.splice(at, 1);
      return at < 0;
    }) ?? null
  );
}

function commentsIn(text: string): string[] {
  const comments: string[] = [];
  let before = "";
  for (const token of new Lexer().lex(text)) {
    // What follows this mark is text, whatever it begins with.
    if (before !== CST.SCALAR && CST.tokenType(token) === "comment") comments.push(token.trim());
    before = token;
  }
  return comments;
}
