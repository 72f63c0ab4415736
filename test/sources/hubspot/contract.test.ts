import { isJsonObject } from "../../../src/core/json.ts";
import type { HubspotRowsOptions } from "../../../src/sources/hubspot/hubspot-rows.ts";
import { describeRowSource } from "../../contracts/row-source.ts";
import { createHubspotRig } from "./rig.ts";

const WAYS: readonly (readonly [string, Partial<HubspotRowsOptions>])[] = [
  ["HubSpot", {}],
  ["HubSpot by exports", { fullBy: "export", exportPageRows: 100 }],
];

for (const [name, way] of WAYS) {
  describeRowSource(name, async () => {
    const rig = await createHubspotRig();
    const { store } = rig.hubspot;
    const idOf = (number: number) => String(1_000_000 + number);
    return {
      count: 310,
      open: () => rig.open(way),
      now: rig.clock.now,
      advance: rig.clock.pass,
      put(number, name) {
        if (store.get(idOf(number))) store.edit(idOf(number), { name });
        else store.create({ name }, idOf(number));
      },
      remove: (number) => store.archive(idOf(number)),
      idOf,
      nameIn: ({ properties }) => (isJsonObject(properties) ? properties.name : null),
      breakOnce: null,
      close: async () => void (await rig[Symbol.asyncDispose]()),
    };
  });
}
