import fc from "fast-check";
import { expect, it } from "vitest";
import type { SourceRecord } from "../../src/core/record.ts";
import { createDestination, endOf, pagesOf } from "../pipeline/attributed.ts";
import { shuffledHistories } from "../pipeline/histories.ts";
import { type AttributingLedger, openAttributing } from "./attributing.ts";

const SOURCES = {
  segment: { nulls: "unset", precedence: { default: 1, byProperty: { plan: 9 } } },
  crm: { nulls: "unset", precedence: { default: 5, byProperty: {} } },
} as const;

/** What becomes of the ledger while a page is committed. The page comes again where nobody knows whether it was. */
const fate = fc.constantFrom("lives" as const, "lives" as const, "restarts" as const, "forgets" as const);

it("a history in any order, with restarts and tables that forget between, ends as it does in memory", async () => {
  await fc.assert(
    fc.asyncProperty(
      shuffledHistories(Object.keys(SOURCES)),
      fc.array(fate, { minLength: 1, maxLength: 6 }),
      async ({ inOrder, shuffled, pages }, fates) => {
        const plain = createDestination(SOURCES);
        plain.take({ records: inOrder, pages: [1000], passes: 2 });
        const rig = await openAttributing(SOURCES);
        try {
          for (const pass of ["commitStatements", "commit"] as const)
            await take(rig, pagesOf(shuffled, pages), pass, fates);
          await rig.deliver();
          expect(endOf(rig.received)).toEqual(endOf(plain));
        } finally {
          await rig.remove();
        }
      },
    ),
    { numRuns: 5 },
  );
});

async function take(
  rig: AttributingLedger,
  pages: readonly (readonly SourceRecord[])[],
  pass: "commit" | "commitStatements",
  fates: readonly ("lives" | "restarts" | "forgets")[],
): Promise<void> {
  for (const [index, page] of pages.entries()) {
    const what = fates[index % fates.length];
    if (what === "forgets") {
      await rig.forgetting(async () => {
        await rig[pass](...page);
        await rig.deliver();
      });
      await rig[pass](...page);
    } else await rig[pass](...page);
    if (what === "restarts") await rig.reopen();
    if (index % 2 === 0) await rig.deliver();
  }
}
