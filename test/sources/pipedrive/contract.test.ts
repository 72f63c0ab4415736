import { describeRowSource } from "../../contracts/row-source.ts";
import { startPipedrive } from "./rig.ts";

for (const [name, listsDeleted] of [
  ["Pipedrive", false],
  ["Pipedrive that lists what was deleted", true],
] as const) {
  describeRowSource(name, async () => {
    const { fake, clock, open, close } = await startPipedrive();
    fake.listsDeleted = listsDeleted;
    return {
      open: () => open({ listsDeleted }),
      now: clock.now,
      advance: clock.pass,
      put: (number, text) => fake.put(number, { name: text }),
      remove: (number) => fake.remove(number),
      idOf: String,
      nameIn: (payload) => payload.name,
      breakOnce: () => fake.failNext({ body: "<html>maintenance</html>" }),
      close,
    };
  });
}
