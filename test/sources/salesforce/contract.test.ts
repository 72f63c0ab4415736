import { describeRowSource } from "../../contracts/row-source.ts";
import { idOf, startSalesforce } from "./rig.ts";

for (const [name, bulkFrom] of [
  ["Salesforce", null],
  ["Salesforce by bulk query", 1],
] as const) {
  describeRowSource(name, async () => {
    const { fake, clock, open, close } = await startSalesforce();
    return {
      open: () => open({ bulkFrom }),
      now: clock.now,
      advance: clock.pass,
      put: (number, text) =>
        fake.put(idOf(number), { Name: text, IsPartner: number % 2 === 0, AnnualRevenue: number / 4 }),
      remove: (number) => fake.remove(idOf(number)),
      idOf,
      nameIn: ({ Name }) => Name ?? null,
      breakOnce: () => fake.failNext({ body: "<html>maintenance</html>" }),
      close,
    };
  });
}
