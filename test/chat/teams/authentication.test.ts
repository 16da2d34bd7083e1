import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dayMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { fakeKey, part } from "../../fakes/teams/signing.ts";
import { appId, tenantId } from "../../fakes/teams/bot-framework.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { teamsForEach, type TeamsHarness } from "./support/teams-harness.ts";

const harness = teamsForEach(chatPolicies);
const asking = { type: "message", text: "request read:prod:orders-db for 2h because INC-42" };

/** Nothing was requested, stored or sent. */
async function expectNothingDone({ service, fake, teams }: TeamsHarness): Promise<void> {
  await teams.stop();
  expect(await service.store.openRequestsOf((await service.caller("dev")).identity.id)).toEqual([]);
  expect(fake.calls).toEqual([]);
  expect(await service.store.address("teams", `tenant:${tenantId}`)).toBeUndefined();
}

const seconds = (h: TeamsHarness, ms = 0): number => Math.floor((h.service.clock.now() + ms) / secondMs);
const otherKey = fakeKey("key-1");
const unknownKey = fakeKey("key-9");
const directLineKey = fakeKey("key-direct", ["directline"]);
const bareKey = fakeKey("key-bare", null);

const tokenWithHeader = (h: TeamsHarness, header: object): string => {
  const [, claims, signature] = h.fake.token().split(".");
  return `Bearer ${part(header)}.${claims}.${signature}`;
};

/** Invalid tokens of every kind. */
const badTokens: Readonly<Record<string, (h: TeamsHarness) => string>> = {
  "no header": () => "",
  "another scheme": (h) => `Basic ${h.fake.token()}`,
  "an API key": () => `Bearer kd_live_${"a".repeat(36)}`,
  "two parts": (h) => `Bearer ${h.fake.token().split(".").slice(0, 2).join(".")}`,
  "four parts": (h) => `Bearer ${h.fake.token()}.x`,
  "no signature": (h) => `Bearer ${h.fake.token().split(".").slice(0, 2).join(".")}.`,
  "a second token": (h) => `Bearer ${h.fake.token()} ${h.fake.token()}`,
  "junk of three parts": () => "Bearer a.b.c",
  "a token of 100,000 characters": (h) => `Bearer ${h.fake.token({ more: "x".repeat(10_000) })}`,
  "alg none": (h) => tokenWithHeader(h, { alg: "none", typ: "JWT", kid: "key-1" }),
  "alg HS256 made with the public key": (h) => {
    const signedPart = `${part({ alg: "HS256", kid: "key-1" })}.${h.fake.token().split(".")[1]}`;
    const signature = createHmac("sha256", JSON.stringify(h.fake.key.jwk)).update(signedPart);
    return `Bearer ${signedPart}.${signature.digest("base64url")}`;
  },
  "alg RS512": (h) => tokenWithHeader(h, { alg: "RS512", typ: "JWT", kid: "key-1" }),
  "no kid": (h) => `Bearer ${h.fake.token({}, { kid: undefined })}`,
  "an unknown kid": (h) => `Bearer ${h.fake.token({}, {}, unknownKey)}`,
  "another key under a known kid": (h) => `Bearer ${h.fake.token({}, {}, otherKey)}`,
  "claims changed after signing": (h) => {
    const [header, , signature] = h.fake.token().split(".");
    const [, claims] = h.fake.token({ serviceurl: h.fake.serviceUrl }).split(".");
    return `Bearer ${header}.${claims?.replace(/.$/, (last) => (last === "A" ? "B" : "A"))}.${signature}`;
  },
  "a key endorsed for Direct Line": (h) => {
    h.fake.keys.push(directLineKey);
    return `Bearer ${h.fake.token({}, {}, directLineKey)}`;
  },
  "a key without endorsements": (h) => {
    h.fake.keys.push(bareKey);
    return `Bearer ${h.fake.token({}, {}, bareKey)}`;
  },
  "the issuer of the emulator": (h) =>
    `Bearer ${h.fake.token({ iss: "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/" })}`,
  "our own tenant as issuer": (h) =>
    `Bearer ${h.fake.token({ iss: "https://login.microsoftonline.com/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/v2.0", azp: appId })}`,
  "an issuer with the right prefix": (h) =>
    `Bearer ${h.fake.token({ iss: "https://api.botframework.com.evil.example" })}`,
  "no issuer": (h) => `Bearer ${h.fake.token({ iss: undefined })}`,
  "another audience": (h) => `Bearer ${h.fake.token({ aud: "99999999-2222-3333-4444-555555555555" })}`,
  "several audiences": (h) => `Bearer ${h.fake.token({ aud: [appId, "another"] })}`,
  "no audience": (h) => `Bearer ${h.fake.token({ aud: undefined })}`,
  "an empty audience": (h) => `Bearer ${h.fake.token({ aud: "" })}`,
  expired: (h) => `Bearer ${h.fake.token({ exp: seconds(h, -5 * minuteMs - secondMs) })}`,
  "no expiry": (h) => `Bearer ${h.fake.token({ exp: undefined })}`,
  "not valid yet": (h) => `Bearer ${h.fake.token({ nbf: seconds(h, 5 * minuteMs + 2 * secondMs) })}`,
  "another service's address": (h) =>
    `Bearer ${h.fake.token({ serviceurl: "https://smba.trafficmanager.net/emea/" })}`,
  "no service address": (h) => `Bearer ${h.fake.token({ serviceurl: undefined })}`,
};

describe("a call that does not come from Teams is answered 401 and does nothing", () => {
  test.each(Object.entries(badTokens))("%s", async (_, authorization) => {
    const h = harness();
    const answer = await h.call(h.activity("dev", asking), authorization(h));
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 401, code: "unauthenticated" });
    await expectNothingDone(h);
  });
});

describe("a valid token is rejected for another activity", () => {
  test.each<[string, (h: TeamsHarness) => object]>([
    ["another channel", () => ({ channelId: "directline" })],
    ["the emulator", () => ({ channelId: "emulator" })],
    ["no channel", () => ({ channelId: undefined })],
    ["another service address", () => ({ serviceUrl: "https://smba.trafficmanager.net/emea/" })],
    ["the same address without its slash", (h) => ({ serviceUrl: h.fake.serviceUrl.slice(0, -1) })],
    ["no service address", () => ({ serviceUrl: undefined })],
  ])("%s", async (_, more) => {
    const h = harness();
    expect((await h.call(h.activity("dev", { ...asking, ...more(h) }))).status).toBe(401);
    await expectNothingDone(h);
  });

  test.each([
    ["a host that is not on the list", "https://evil.example/emea/"],
    ["bare trafficmanager.net", "https://trafficmanager.net/emea/"],
    ["a host that ends like one on the list", "https://x.127.0.0.1.nip.io/"],
    ["a name before the host", "https://127.0.0.1@evil.example/"],
    ["plain http elsewhere", "http://smba.trafficmanager.net/emea/"],
    ["no address at all", "emea"],
  ])("%s, even if the token names it too", async (_, serviceUrl) => {
    const h = harness();
    const token = h.fake.token({ serviceurl: serviceUrl });
    expect((await h.call(h.activity("dev", { ...asking, serviceUrl }), `Bearer ${token}`)).status).toBe(401);
    await expectNothingDone(h);
  });
});

describe("a person of another tenant is refused, and that is recorded", () => {
  test.each<[string, object]>([
    [
      "by both",
      { channelData: { tenant: { id: "foreign" } }, conversation: { id: "a:1", tenantId: "foreign" } },
    ],
    ["by the channel's data", { channelData: { tenant: { id: "foreign" } } }],
    [
      "by the conversation",
      { conversation: { id: "a:1", conversationType: "personal", tenantId: "foreign" } },
    ],
    ["by naming none", { channelData: {} }],
  ])("%s", async (_, more) => {
    const h = harness();
    expect((await h.call(h.activity("dev", { ...asking, ...more }))).status).toBe(401);
    await expectNothingDone(h);
    const refused = (await h.service.audit()).filter((row) => row.action === "decision.refused");
    expect(refused.map(({ data }) => data["code"])).toEqual(["unauthenticated"]);
    expect(refused[0]?.body).toContain('"via":"teams"');
  });
});

test("a valid call is accepted, with clocks up to five minutes apart", async () => {
  const h = harness();
  for (const claims of [
    {},
    { nbf: undefined },
    { exp: seconds(h, -4 * minuteMs) },
    { nbf: seconds(h, 4 * minuteMs) },
  ]) {
    const answer = await h.call(h.activity("dev", { type: "typing" }), `Bearer ${h.fake.token(claims)}`);
    expect(answer.status).toBe(200);
  }
});

test("a body that is not an activity is answered 400, after the token was accepted", async () => {
  const h = harness();
  for (const body of [{}, [], 1, null, "text", { type: 7 }]) {
    expect((await h.call(body as object)).status).toBe(400);
    expect((await h.call(body as object, "Bearer a.b.c")).status).toBe(401);
  }
});

test.each<[string, object, object]>([
  ["claim_aud", { aud: "another" }, {}],
  ["claim_iss", { iss: "another" }, {}],
  ["expired", { exp: 1 }, {}],
  ["claim_nbf", { nbf: 9_999_999_999 }, {}],
  ["channel", {}, { channelId: "directline" }],
  ["service_url", {}, { serviceUrl: "https://another.example" }],
  ["tenant", {}, { channelData: { tenant: { id: "foreign" } } }],
])("the log says why a call was rejected, %s, without its token", async (why, claims, more) => {
  const h = harness();
  const token = h.fake.token(claims);
  await h.call(h.activity("dev", { ...asking, ...more }), `Bearer ${token}`);
  expect(h.log).toEqual([`teams: request rejected {"why":"${why}"}`]);
});

test("calls by Teams have no rate limit per address", async () => {
  const { app, fake } = harness();
  const { headers } = await app.inject({
    method: "POST",
    url: "/api/messages",
    headers: { authorization: `Bearer ${fake.token()}` },
    payload: {},
  });
  expect(headers["x-ratelimit-limit"]).toBeUndefined();
  expect(headers["cache-control"]).toBe("no-store");
});

describe("keys of the Bot Framework", () => {
  const typing = (h: TeamsHarness) => h.activity("dev", { type: "typing" });

  test("a new key is fetched when a token first names it", async () => {
    const h = harness();
    expect((await h.call(typing(h))).status).toBe(200);
    const next = fakeKey("key-2");
    h.fake.keys.push(next);
    expect((await h.call(typing(h), `Bearer ${h.fake.token({}, {}, next)}`)).status).toBe(200);
    expect(h.fake.metadataFetches.count).toBe(2);
  });

  test("junk tokens make us fetch keys a few times a minute, not each time", async () => {
    const h = harness();
    const token = `Bearer ${h.fake.token({}, {}, unknownKey)}`;
    for (let count = 0; count < 30; count++) expect((await h.call(typing(h), token)).status).toBe(401);
    expect(h.fake.metadataFetches.count).toBeLessThanOrEqual(6);
    expect((await h.call(typing(h))).status).toBe(200);
  });

  test("while they cannot be fetched, known keys stay valid for days, and others are rejected", async () => {
    const h = harness();
    expect((await h.call(typing(h))).status).toBe(200);
    h.fake.metadata.status = 503;
    h.service.clock.pass(2 * dayMs);
    expect((await h.call(typing(h))).status).toBe(200);
    expect((await h.call(typing(h), `Bearer ${h.fake.token({}, {}, unknownKey)}`)).status).toBe(401);
    h.service.clock.pass(4 * dayMs);
    expect((await h.call(typing(h))).status).toBe(401);
    h.fake.metadata.status = 200;
    h.service.clock.pass(minuteMs);
    expect((await h.call(typing(h))).status).toBe(200);
  });

  test("a withdrawn key is rejected within a day", async () => {
    const h = harness();
    expect((await h.call(typing(h))).status).toBe(200);
    h.fake.keys.length = 0;
    h.service.clock.pass(dayMs + minuteMs);
    expect((await h.call(typing(h))).status).toBe(401);
  });

  test("a known key does not wait for a slow key server", async () => {
    const h = harness();
    expect((await h.call(typing(h))).status).toBe(200);
    h.fake.metadata.status = "hang";
    const unknown = Array.from({ length: 3 }, () =>
      h.call(typing(h), `Bearer ${h.fake.token({}, {}, unknownKey)}`),
    );
    for (const age of [0, dayMs / 2, 2 * dayMs]) {
      h.service.clock.pass(age);
      for (let count = 0; count < 3; count++) expect((await h.call(typing(h))).status).toBe(200);
    }
    for (const { status } of await Promise.all(unknown)) expect(status).toBe(401);
    // One fetch for the first key, one for all junk, and one or two for keys that are old.
    expect(h.fake.metadataFetches.count).toBeLessThanOrEqual(4);
  });

  test("a failing key server is asked again after growing delays", async () => {
    const h = harness();
    h.fake.metadata.status = 503;
    for (let count = 0; count < 10; count++) expect((await h.call(typing(h))).status).toBe(401);
    expect(h.fake.metadataFetches.count).toBe(1);
    h.service.clock.pass(1_500);
    for (let count = 0; count < 10; count++) expect((await h.call(typing(h))).status).toBe(401);
    expect(h.fake.metadataFetches.count).toBe(2);
    h.fake.metadata.status = 200;
    h.service.clock.pass(3_000);
    expect((await h.call(typing(h))).status).toBe(200);
  });
});
