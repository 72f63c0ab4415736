import { describe, expect, it } from "vitest";
import { checkMapping, compileMapping } from "../../../src/core/mapping/compile.ts";
import { effectiveMapping } from "../../../src/core/mapping/effective-mapping.ts";
import { type MappingSource, NO_ENVIRONMENT } from "../../../src/core/mapping/environment.ts";
import { applyTo, shippedSource } from "./shipped.ts";

/** The files there are, by name. */
type Files = Readonly<Record<string, string>>;

const BASE = `groupTypes: [company]
rules:
  - name: group
    when: type = "group"
    groupIdentify:
      groupType: company
      groupKey: { "@path": $.groupId }
      properties: { "@path": $.traits }
  - name: track
    when: type = "track"
    event: { name: { "@path": $.event }, distinctId: { "@path": $.userId } }
  - name: the rest
    reject: { reason: unsupported_type, detail: not wanted }
`;

function sourceOf(files: Files, name: string): MappingSource {
  const preset = (other: string) =>
    Object.hasOwn(files, other) ? sourceOf(files, other) : { absent: `found no mapping "${other}"` };
  return { name, file: `${name}.yaml`, text: files[name] ?? "", environment: { ...NO_ENVIRONMENT, preset } };
}

const extending = (text: string): MappingSource => sourceOf({ base: BASE, own: `extends: base\n${text}` }, "own");

const namesOf = (source: MappingSource) => effectiveMapping(source).rules.map(({ name }) => name);

const saidOf = (source: MappingSource) =>
  checkMapping(source).map(
    ({ severity, file, line, path, message }) => `${severity} ${file}:${line} ${path} ${message}`,
  );

describe("a mapping that extends another", () => {
  it("changes the rules of groups one by one, and shows where each was written", () => {
    const base = BASE.replace("rules:", "groups: { nulls: set, prefix: a_, precedence: 2 }\nrules:");
    const own = "extends: base\ngroups:\n  nulls: unset\n  precedence: { default: 1, plan: 9 }\n";
    const source = sourceOf({ base, own }, "own");
    expect(compileMapping(source).groupRules).toMatchObject({
      groupTypes: ["company"],
      nulls: "unset",
      prefix: "a_",
      precedence: { default: 1, byProperty: { plan: 9 } },
      several: "latest",
    });
    expect(effectiveMapping(source).groups.map(({ name, from }) => `${name} ${from.file}:${from.line}`)).toEqual([
      "prefix base.yaml:2",
      "precedence own.yaml:4",
      "nulls own.yaml:3",
    ]);
    const wrong = sourceOf({ base, own: "extends: base\ngroups: { nuls: unset, several: all }\n" }, "own");
    expect(saidOf(wrong).join("\n")).toMatch(/groups\.several found "all"; latest, none are allowed/);
    expect(saidOf(wrong).join("\n")).toMatch(/groups\.nuls unknown key; .*Did you mean "nulls"\?/);
  });

  it("changes the parts it names, of the rules it names, and leaves the rest", () => {
    const source = extending('rules: [{ name: group, groupIdentify: { groupKey: { "@path": $.traits.id } } }]\n');
    const mapping = compileMapping(source);
    const call = { type: "group", groupId: "g", traits: { id: "own", name: "Acme" } };
    expect(applyTo(mapping, call)).toEqual({
      rule: "group",
      drafts: [{ kind: "groupIdentify", groupType: "company", groupKey: "own", properties: call.traits }],
      statements: [],
      problems: [],
    });
    expect(applyTo(mapping, { type: "track", event: "E", userId: "u" }).rule).toBe("track");
    expect(mapping.groupTypes).toEqual(["company"]);
  });

  it("says of every part where it was written", () => {
    const source = extending('rules:\n  - name: group\n    groupIdentify:\n      groupKey: { "@path": $.traits.id }\n');
    const [group, track] = effectiveMapping(source).rules;
    expect(group?.from).toEqual({ file: "own.yaml", line: 3, dialect: "prickle" });
    expect(group?.parts.map(({ part, from }) => [part, `${from.file}:${from.line}`])).toEqual([
      ["when", "base.yaml:4"],
      ["groupIdentify.groupType", "base.yaml:6"],
      ["groupIdentify.groupKey", "own.yaml:5"],
      ["groupIdentify.properties", "base.yaml:8"],
    ]);
    expect(group?.parts[2]?.value).toEqual({ "@path": "$.traits.id" });
    expect(track?.from).toEqual({ file: "base.yaml", line: 9, dialect: "prickle" });
  });

  it("puts a new rule before the one that always applies, or where it is told", () => {
    const rule = (more: string) =>
      namesOf(
        extending(`rules: [{ name: new, when: type = "page", reject: { reason: no_rule, detail: x }${more} }]\n`),
      );
    expect(rule("")).toEqual(["group", "track", "new", "the rest"]);
    expect(rule(", before: group")).toEqual(["new", "group", "track", "the rest"]);
    expect(rule(", after: group")).toEqual(["group", "new", "track", "the rest"]);
    expect(namesOf(extending("rules: [{ name: track, before: group }]\n"))).toEqual(["track", "group", "the rest"]);
  });

  it("puts a narrower rule before the one that would take its records", () => {
    const rule = (when: string) =>
      namesOf(extending(`rules: [{ name: new, when: '${when}', reject: { reason: no_rule, detail: x } }]\n`));
    expect(rule('type = "track" and event = "Seen"')).toEqual(["group", "new", "track", "the rest"]);
    expect(rule('type in ["group", "track"] and userId = "u"')).toEqual(["group", "track", "new", "the rest"]);
    expect(rule('event = "Seen" and type = "group"')).toEqual(["new", "group", "track", "the rest"]);
  });

  it("keeps new rules in the order they are written in", () => {
    const page = (name: string) => `{ name: ${name}, when: name = "${name}", reject: { reason: no_rule, detail: x } }`;
    expect(namesOf(extending(`rules: [${page("one")}, ${page("two")}]\n`))).toEqual([
      ...["group", "track", "one", "two", "the rest"],
    ]);
  });

  it("removes a rule, or an output or condition of one", () => {
    expect(namesOf(extending("rules: [{ name: track, remove: true }]\n"))).toEqual(["group", "the rest"]);
    const instead = "rules: [{ name: track, event: null, reject: { reason: no_rule, detail: x } }]\n";
    const [, track] = effectiveMapping(extending(instead)).rules;
    expect(track?.parts.map(({ part }) => part)).toEqual(["when", "reject"]);
    const always = "rules: [{ name: group, when: null, after: track }, { name: the rest, remove: true }]\n";
    expect(effectiveMapping(extending(always)).rules[1]?.parts[0]?.part).toBe("groupIdentify.groupType");
  });

  it("replaces the group types, or adds to them", () => {
    expect(compileMapping(extending("addGroupTypes: [project]\n")).groupTypes).toEqual(["company", "project"]);
    expect(compileMapping(extending("groupTypes: [team, company]\n")).groupTypes).toEqual(["team", "company"]);
    expect(saidOf(extending("addGroupTypes: [a, b, c, d, e]\n")).join()).toMatch(
      /error own\.yaml:2 addGroupTypes\[4\] found a sixth group type/,
    );
  });

  it("runs each part in the dialect of the file it stands in", () => {
    const files = {
      base: `${BASE.replace("properties: {", 'properties: { a: { "@path": "$.traits[\'x.y\']" } } #')}`,
      own: 'extends: base\ndialect: segment\nrules: [{ name: track, event: { properties: { b: { "@path": "$.traits[\'x.y\']" } } } }]\n',
    };
    const mapping = compileMapping(sourceOf(files, "own"));
    const traits = { "x.y": 1, x: { y: 2 } };
    expect(applyTo(mapping, { type: "group", groupId: "g", traits }).drafts[0]?.properties).toEqual({ a: 1 });
    expect(applyTo(mapping, { type: "track", event: "e", userId: "u", traits }).drafts[0]?.properties).toEqual({
      b: 2,
    });
  });

  it("may extend what extends another", () => {
    const files = {
      base: BASE,
      own: "extends: base\naddGroupTypes: [team]\n",
      top: "extends: own\naddGroupTypes: [project]\n",
    };
    expect(compileMapping(sourceOf(files, "top")).groupTypes).toEqual(["company", "team", "project"]);
  });

  it("places each problem in the file it stands in", () => {
    const files = {
      base: BASE.replace("@path", "@pth"),
      own: 'extends: base\nrules: [{ name: track, when: "type =" }]\n',
    };
    expect(saidOf(sourceOf(files, "own"))).toEqual([
      expect.stringMatching(/^error own\.yaml:2 rules\[0\]\.when found the end/),
      expect.stringMatching(/^error base\.yaml:7 rules\[0\]\.groupIdentify\.groupKey\.@pth unknown directive/),
    ]);
  });

  it.each([
    ["an unknown mapping", "extends: other\n", /own\.yaml:1 extends found no mapping "other"/],
    ["itself", "extends: own\n", /extends in a circle: own\.yaml → own\.yaml/],
    ["a circle", "extends: there\n", /there\.yaml:1 extends extends in a circle: own\.yaml → there\.yaml → own\.yaml/],
    [
      "a rule to stand beside that is not there",
      "extends: base\nrules: [{ name: n, when: userId = null, reject: { reason: no_rule, detail: x }, before: trak }]\n",
      /before found no rule "trak"; group, track, .*mean "track"/,
    ],
    [
      "a rule to remove that is not there",
      "extends: base\nrules: [{ name: trak, remove: true }]\n",
      /found no rule "trak"/,
    ],
    [
      "a new rule without what it needs",
      "extends: base\nrules: [{ name: n, when: userId = null, groupIdentify: { groupType: company } }]\n",
      /groupIdentify "groupKey" is missing/,
    ],
    [
      "a change that leaves nothing to make",
      "extends: base\nrules: [{ name: track, event: null }]\n",
      /groupIdentify, event, membership, join or reject is missing/,
    ],
    [
      "a key nobody knows",
      "extends: base\nrules: [{ name: n, befor: track }]\n",
      /rules\[0\]\.befor unknown key; .*mean "before"/,
    ],
    [
      "a rule that is never reached there",
      "extends: base\nrules: [{ name: n, after: the rest, reject: { reason: no_rule, detail: x } }]\n",
      /own\.yaml:2 rules\[0\] never reached: rule "the rest"/,
    ],
  ])("says what is wrong: %s", (_what, own, message) => {
    expect(saidOf(sourceOf({ base: BASE, own, there: "extends: own\n" }, "own")).join("\n")).toMatch(message);
  });

  it("does not take keys of extensions where nothing is extended", () => {
    const text = BASE.replace("name: track", "name: track\n    before: group");
    expect(saidOf(sourceOf({ base: text }, "base")).join()).toMatch(/before unknown key; name, when, /);
  });
});

describe("the shipped mappings", () => {
  it.each(["segment", "rudderstack", "hubspot", "salesforce", "pipedrive", "attio"])(
    "%s compiles without a warning",
    (name) => {
      expect(checkMapping(shippedSource(name))).toEqual([]);
    },
  );
  it("rudderstack.yaml is segment.yaml but for identify", () => {
    const files = effectiveMapping(shippedSource("rudderstack")).rules.map(({ name, from }) => `${name} ${from.file}`);
    expect(files.filter((line) => line.endsWith(" rudderstack.yaml"))).toEqual(["identify rudderstack.yaml"]);
    expect(files).toHaveLength(8);
  });
});
