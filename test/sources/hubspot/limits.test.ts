import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Asked } from "../../fakes/hubspot/answer.ts";
import type { Interference } from "../../fakes/hubspot/server.ts";
import { createCompanies, createHubspotRig, type HubspotRig, idsOf, never, readAll, readChanged } from "./rig.ts";

describe("HubSpot's limits and failures", () => {
  let rig: HubspotRig;
  beforeEach(async () => {
    rig = await createHubspotRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  const isList = ({ method, path }: Asked) =>
    method === "GET" && path.endsWith("/companies") && path.includes("objects");

  /** Each for one request of the list, one after the other. */
  function listAnswers(...answers: Interference[]) {
    rig.hubspot.settings.interfere = (asked) => (isList(asked) ? (answers.shift() ?? null) : null);
  }

  it("are kept without being told: no request of many is refused", async () => {
    rig.hubspot.settings.latencyMs = 1;
    createCompanies(rig.hubspot, 20_000);
    expect(await readAll(await rig.begin())).toHaveLength(20_000);
    expect(rig.hubspot.limits.refused).toEqual({ general: 0, search: 0, daily: 0 });
  });

  it("are kept by all who read one account, together, and searches have their own", async () => {
    rig.hubspot.settings.latencyMs = 1;
    createCompanies(rig.hubspot, 4000);
    rig.clock.pass(1000);
    const [one, two] = [await rig.begin(), await rig.begin()];
    const window = { from: 1000, to: rig.clock.now() };
    await Promise.all([readChanged(one, window), readChanged(two, window), readAll(one), readAll(two)]);
    const { general, search, daily } = rig.hubspot.limits.refused;
    expect([general, daily]).toEqual([0, 0]);
    // On the way some may come closer together than they were sent.
    expect(search).toBeLessThan(4);
  });

  it("follow what HubSpot says it allows: an account with more is read faster", async () => {
    rig.hubspot.settings.latencyMs = 1;
    createCompanies(rig.hubspot, 20_000);
    const begun = rig.clock.now();
    await readAll(await rig.begin());
    const slow = rig.clock.now() - begun;
    rig.hubspot.settings.perTenSeconds = 1000;
    await readAll(await rig.begin());
    expect(rig.clock.now() - begun - slow).toBeLessThan(slow);
  });

  it.each([true, false])("that others used up are waited for (with Retry-After: %s)", async (saysRetryAfter) => {
    const { settings, limits } = rig.hubspot;
    Object.assign(settings, { perTenSeconds: 5, searchesPerSecond: 1, saysRetryAfter, latencyMs: 1 });
    const ids = createCompanies(rig.hubspot, 900);
    rig.clock.pass(1000);
    const rows = await rig.begin();
    expect(idsOf((await readChanged(rows, { from: 1000, to: rig.clock.now() })).rows)).toEqual(ids);
    expect(limits.refused.general + limits.refused.search).toBeGreaterThan(0);
  });

  it("of a day end the run until midnight in the account's time zone, and nobody asks before", async () => {
    const { settings, requests } = rig.hubspot;
    settings.timeZone = "America/New_York";
    createCompanies(rig.hubspot, 500);
    const rows = await rig.begin();
    settings.daily = 3;
    const refused = await readAll(rows).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "SOURCE_LIMITED", retryAfterMs: expect.any(Number) });
    // It is 2026-11-01 00:00 UTC there the evening before; the clocks are still in summer time.
    const midnight = Date.UTC(2026, 10, 1, 4);
    expect(rig.clock.now() + Object(refused).retryAfterMs).toBe(midnight);
    const asked = requests.length;
    await expect(readAll(rows)).rejects.toMatchObject({ code: "SOURCE_LIMITED" });
    expect(requests).toHaveLength(asked);
    rig.clock.pass(midnight - rig.clock.now());
    settings.daily = 250_000;
    expect(await readAll(rows)).toHaveLength(500);
  });

  it("of a day are not used up to the last: a tenth is left to others", async () => {
    createCompanies(rig.hubspot, 5000);
    const rows = await rig.begin();
    rig.hubspot.settings.daily = 30;
    await expect(readAll(rows)).rejects.toMatchObject({ code: "SOURCE_LIMITED" });
    expect(rig.hubspot.limits.refused.daily).toBe(0);
    expect(rig.hubspot.requests).toHaveLength(28);
  });

  it.each([
    ["a locked object", { status: 423, body: { status: "error", message: "locked" } }],
    ["a page of HTML", { status: 502, body: "<html><h1>502 Bad Gateway</h1></html>" }],
    ["an error at the edge", { status: 523, body: "origin is unreachable" }],
    ["HTML that says it is well", { status: 200, body: "<html>hello</html>" }],
    ["an answer cut short", "cut"],
  ] as const)("such as %s pass: it asks again", async (_, failure) => {
    createCompanies(rig.hubspot, 250);
    listAnswers(null, failure, failure, null, failure);
    expect(await readAll(await rig.begin())).toHaveLength(250);
  });

  it("such as no answer at all pass", async () => {
    createCompanies(rig.hubspot, 250);
    listAnswers(null, "hang");
    expect(await readAll(await rig.begin({ timeoutMs: 300 }))).toHaveLength(250);
  });

  it("that do not pass end the run: what was read stays, and the next goes on", async () => {
    createCompanies(rig.hubspot, 250);
    rig.hubspot.settings.interfere = (asked, count) =>
      isList(asked) && count > 3 ? { status: 503, body: "<html>" } : null;
    const rows = await rig.begin();
    let last: string | null = null;
    const read = async () => {
      for await (const page of rows.all(null, never)) last = page.after;
    };
    await expect(read()).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    rig.hubspot.settings.interfere = () => null;
    expect(await readAll(rows, last)).toHaveLength(150);
  });

  it("such as an account that is being moved are waited out, up to a day", async () => {
    createCompanies(rig.hubspot, 3);
    listAnswers({ status: 477, headers: { "retry-after": "86400" }, body: { message: "Migration in progress" } });
    await expect(readAll(await rig.begin())).rejects.toMatchObject({
      code: "SOURCE_LIMITED",
      retryAfterMs: 86_400_000,
    });
  });

  it("such as a missing scope say which", async () => {
    rig.hubspot.settings.missingScopes.add("crm.schemas.companies.read");
    await expect(rig.begin()).rejects.toMatchObject({
      code: "SOURCE_REFUSED",
      hint: "Give the key the scope crm.schemas.companies.read.",
      message: expect.stringContaining("correlationId c0ffee00-0000-4000-8000-000000000001"),
    });
  });

  it("such as a key that is not taken end the run at once", async () => {
    rig.hubspot.tokens.settings.serviceKey = "pat-eu1-another";
    await expect(rig.begin()).rejects.toMatchObject({ code: "SOURCE_REFUSED" });
    expect(rig.hubspot.requests).toHaveLength(1);
  });

  it("such as an answer of another form name the place", async () => {
    listAnswers({ status: 200, body: { results: [{ id: 17, properties: {} }] } });
    await expect(readAll(await rig.begin())).rejects.toMatchObject({
      code: "SOURCE_CHANGED",
      message: expect.stringContaining("results.0.id"),
    });
  });
});
