import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { slackManifest } from "../../../src/cli/manifests/slack-manifest.ts";

const root = resolve(import.meta.dirname, "../../..");
const shipped = (name: string): unknown => JSON.parse(readFileSync(join(root, "manifests", name), "utf8"));
const url = "https://jit.company.com";
const http = slackManifest({ mode: "http", url });
const socket = slackManifest({ mode: "socket", url: "" });

/** The source, to find every method, event and command that it uses. */
const code = readdirSync(join(root, "src/chat/slack"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(root, "src/chat/slack", name), "utf8"))
  .join("\n");
const found = (pattern: RegExp): string[] =>
  [...new Set([...code.matchAll(pattern)].map(([, one = ""]) => one))].toSorted();

test("the shipped manifests are what jit manifest slack prints (for https://jit.company.com, and with --socket)", () => {
  expect(shipped("slack.http.json")).toEqual(http);
  expect(shipped("slack.socket.json")).toEqual(socket);
});

test("the manifest subscribes to every event we handle, and no other", () => {
  expect([...(http.settings?.event_subscriptions?.bot_events ?? [])].toSorted()).toEqual(
    found(/\.event\("([a-z_]+)"/g),
  );
});

test("the manifest has every command and shortcut we handle, and no other", () => {
  expect(http.features?.slash_commands?.map((one) => one.command)).toEqual(found(/\.command\("([^"]+)"/g));
  expect(http.features?.shortcuts?.map((one) => one.callback_id)).toEqual(found(/\.shortcut\("([^"]+)"/g));
});

test("every method we call has its scope", () => {
  const scopes: Readonly<Record<string, readonly string[]>> = {
    "auth.test": [],
    "chat.postMessage": ["chat:write"],
    "chat.update": ["chat:write"],
    "conversations.info": ["channels:read", "groups:read"],
    "conversations.members": ["channels:read", "groups:read"],
    "usergroups.users.list": ["usergroups:read"],
    "users.info": ["users:read"],
    "views.open": [],
    "views.publish": [],
    "views.update": [],
  };
  const called = found(/client\.([a-z]+(?:\.[a-zA-Z]+)+)\(/g);
  expect(called).toEqual(Object.keys(scopes).toSorted());
  const granted = http.oauth_config?.scopes?.bot ?? [];
  for (const scope of Object.values(scopes).flat()) expect(granted).toContain(scope);
});

test("the manifest of socket mode has no address, that of HTTP mode has ours everywhere", () => {
  expect(JSON.stringify(socket)).not.toContain("http");
  expect(JSON.stringify(http).match(/https:[^"]+/g)).toEqual(
    Array.from({ length: 4 }, () => `${url}/slack/events`),
  );
});
