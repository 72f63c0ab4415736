import { isJsonObject } from "../../../src/core/json.ts";
import { describeRowSource } from "../../contracts/row-source.ts";
import { attioId } from "../../fakes/attio.ts";
import { startAttio } from "./rig.ts";

describeRowSource("Attio", async () => {
  const { fake, clock, open, close } = await startAttio();
  return {
    open,
    now: clock.now,
    advance: clock.pass,
    put: (number, text) => fake.put(number, { name: text }),
    remove: (number) => fake.remove(number),
    idOf: attioId,
    nameIn: ({ values }) => (isJsonObject(values) ? values.name : null),
    breakOnce: () => fake.failNext({ body: "<html>maintenance</html>" }),
    close,
  };
});
