import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { oauthCredentials } from "../../../src/sources/hubspot/credentials.ts";
import { CLIENT } from "../../fakes/hubspot/tokens.ts";
import { createCompanies, createHubspotRig, type HubspotRig, readAll } from "./rig.ts";

describe("the token of an OAuth app", () => {
  let rig: HubspotRig;
  let saved: string[];
  beforeEach(async () => {
    saved = [];
    rig = await createHubspotRig({
      credentials: (apiHost, clock) =>
        oauthCredentials({
          apiHost,
          clientId: CLIENT.id,
          clientSecret: CLIENT.secret,
          refreshToken: "refresh-1",
          saveRefreshToken: async (token) => void saved.push(token),
          clock,
          random: () => 0.5,
        }),
    });
    Object.assign(rig.hubspot.tokens.settings, { serviceKey: null, refreshToken: "refresh-1" });
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  it("is got once for all who ask at the same time", async () => {
    createCompanies(rig.hubspot, 3);
    await Promise.all([rig.begin(), rig.begin(), rig.begin()]);
    expect(rig.hubspot.tokens.given).toHaveLength(1);
  });

  it("is replaced before it expires", async () => {
    createCompanies(rig.hubspot, 3);
    const rows = await rig.begin();
    rig.clock.pass(21 * 60_000);
    await readAll(rows);
    expect(rig.hubspot.tokens.given).toHaveLength(2);
    expect(rig.hubspot.requests.filter((request) => request.includes("/objects/"))).toHaveLength(1);
  });

  it("is got anew when it is refused in the middle of a run, once", async () => {
    createCompanies(rig.hubspot, 350);
    const { settings, tokens } = rig.hubspot;
    const rows = await rig.begin();
    rig.clock.pass(60_000);
    settings.interfere = ({ query }, count) => {
      if (query.get("after") && count < 7) tokens.revokeAll();
      return null;
    };
    expect(await readAll(rows)).toHaveLength(350);
    expect(tokens.given).toHaveLength(2);
  });

  it("may come with another refresh token, which is kept and used from then on", async () => {
    rig.hubspot.tokens.settings.rotates = true;
    createCompanies(rig.hubspot, 3);
    const rows = await rig.begin();
    rig.clock.pass(3_600_000);
    expect(await readAll(rows)).toHaveLength(3);
    expect(saved).toEqual(["refresh-2", "refresh-3"]);
  });

  it("is asked for again when HubSpot is busy", async () => {
    const busy = { status: 429, body: { status: "error", message: "You have reached your secondly limit." } };
    rig.hubspot.tokens.settings.refusals.push(busy, busy, { status: 502, body: "<html>" });
    createCompanies(rig.hubspot, 3);
    expect(await readAll(await rig.begin())).toHaveLength(3);
  });

  it.each([
    [{ status: 400, body: { status: "BAD_HUB", message: "hub is gone" } }, "BAD_HUB"],
    [
      { status: 400, body: { status: "BAD_REFRESH_TOKEN", message: "missing or invalid refresh token" } },
      "BAD_REFRESH_TOKEN",
    ],
  ])("that is never given again ends the run, with no secret in the message", async (answer, kind) => {
    rig.hubspot.tokens.settings.refusals.push(answer);
    const refused = await rig.begin().catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "SOURCE_REFUSED", message: expect.stringContaining(kind) });
    expect(String(refused)).not.toContain("refresh-1");
    expect(rig.hubspot.requests).toHaveLength(1);
  });
});
