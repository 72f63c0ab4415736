import { expect, it } from "vitest";
import { effectiveMapping } from "../../../src/core/mapping/effective-mapping.ts";
import { propertyNamesIn } from "../../../src/sources/hubspot/property-names.ts";
import { shippedSource } from "../../core/mapping/shipped.ts";

it("finds the properties that a mapping reads in paths, conditions and templates", () => {
  const text = JSON.stringify({
    when: 'properties.stage = "customer" and removed = null',
    a: { "@path": "$.properties.plan" },
    b: { "@path": "$.properties['account id']" },
    c: { "@template": "{{properties.region}}-{{name}}" },
    d: { "@liquid": '{{ properties["tier"] }}' },
    e: { "@path": "$.contact.properties.email" },
    f: { "@path": "$.company.properties.external_id" },
    g: { "@path": "$.properties" },
  });
  expect(propertyNamesIn(text)).toEqual({
    ofCompany: ["stage", "plan", "account id", "region", "tier"],
    ofContact: ["email"],
    ofItsCompany: ["external_id"],
  });
});

it("finds those of the shipped mapping", () => {
  const { ofCompany } = propertyNamesIn(JSON.stringify(effectiveMapping(shippedSource("hubspot")).rules));
  expect(ofCompany).toEqual(expect.arrayContaining(["external_id", "domain", "numberofemployees", "annualrevenue"]));
});
