import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { createBot } from "../../../src/chat/teams/connection/bot.ts";
import { cloudOf } from "../../../src/chat/teams/connection/cloud.ts";
import { appId, tenantId } from "../../fakes/teams/bot-framework.ts";

const src = resolve(import.meta.dirname, "../../../src");
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(join(src, path), "utf8") }));

const metadata = "https://login.botframework.com/v1/.well-known/openidconfiguration";
const bot = createBot(
  { appId, tenantId, loginUrl: "https://login.microsoftonline.com", openIdMetadataUrl: metadata },
  cloudOf(metadata),
  { get: async () => "a token", drop: () => {} },
);
const activity = {
  type: "invoke",
  id: "1",
  channelId: "msteams",
  serviceUrl: "https://smba.trafficmanager.net/emea/",
  timestamp: "2026-01-15T10:30:00.000Z",
  from: { id: "29:dev" },
  conversation: { id: "a:1" },
};

test("one file imports the SDK, and it is loaded when Teams starts and not before", () => {
  const importers = (pattern: RegExp) =>
    sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
  expect(importers(/from "botbuilder/)).toEqual(["chat/teams/connection/bot.ts"]);
  const ofTeams = importers(/^import (?!type )[^;]*"[./a-z]*\/bot\.ts"/m).filter((path) =>
    path.startsWith("chat/teams/"),
  );
  expect(ofTeams).toEqual([]);
  expect(importers(/\bimport\("\.\/connection\/bot\.ts"\)/)).toEqual(["chat/teams/teams.ts"]);
});

test("an invoke is answered 200 whatever its result, because Teams takes anything else for an outage", async () => {
  for (const body of [{ statusCode: 200 }, { statusCode: 400, type: "error" }, {}]) {
    expect(await bot.handle(activity, async () => body)).toEqual({ status: 200, body });
  }
});

test("any other activity is answered 200 without a body", async () => {
  let turns = 0;
  const logic = async (): Promise<void> => void turns++;
  for (const type of ["message", "conversationUpdate", "installationUpdate", "typing"]) {
    expect(await bot.handle({ ...activity, type }, logic)).toEqual({ status: 200, body: undefined });
  }
  expect(turns).toBe(4);
});

test("an error of a turn is thrown, not sent to the caller", async () => {
  const failing = async (): Promise<never> => {
    throw new Error("broken");
  };
  await expect(bot.handle(activity, failing)).rejects.toThrow("broken");
});

test.each([
  [metadata, "https://api.botframework.com"],
  ["https://login.botframework.azure.us/v1/.well-known/openidconfiguration", "https://api.botframework.us"],
  [
    "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
    "https://api.botframework.azure.cn",
  ],
])("the metadata at %s has the issuer %s", (url, issuer) => {
  expect(cloudOf(url)).toEqual({ issuer, scope: `${issuer}/.default` });
});
