import { expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.ts";

const webhook =
  'webhooks: [{ name: siem, url: "https://siem.example", events: ["grant.*"], secret: env:SIEM_SECRET }]';

function problemsOf(text: string, environment: Readonly<Record<string, string>> = {}) {
  const read = readConfigFile(text, "jit.yaml", environment);
  return "problems" in read ? read.problems : [];
}

const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const given = (text: string, environment: Readonly<Record<string, string>>) => {
  const read = readConfigFile(text, "jit.yaml", environment);
  return "ok" in read ? read.ok.webhooks : read.problems.map(({ path, message }) => `${path} ${message}`);
};

test("webhooks take address and secret from the environment, and call private addresses only if configured", () => {
  expect(given(webhook, { SIEM_SECRET: secret })).toEqual([
    { name: "siem", url: "https://siem.example", events: ["grant.*"], secret, allowPrivate: false },
  ]);
  const local = webhook
    .replace('"https://siem.example"', "env:SIEM_URL")
    .replace("secret:", "allowPrivate: true, secret:");
  expect(given(local, { SIEM_SECRET: secret, SIEM_URL: "http://127.0.0.1:9000/hook" })).toMatchObject([
    { url: "http://127.0.0.1:9000/hook", allowPrivate: true },
  ]);
  expect(given("webhooks: []\n", {})).toEqual([]);
});

test("webhooks name the variables that are not set", () => {
  expect(problemsOf(webhook)).toMatchObject([{ line: 1, column: 76, path: "webhooks.0.secret" }]);
});

test("webhooks have no secret in the file, and no problem repeats one", () => {
  const problems = problemsOf(webhook.replace("env:SIEM_SECRET", "whsec_canary"));
  expect(problems.map((problem) => problem.path)).toEqual(["webhooks.0.secret"]);
  const bad = problemsOf(webhook.replace('"https://siem.example"', "env:SIEM_URL"), {
    SIEM_SECRET: "whsec_canary",
    SIEM_URL: "https://canary:canary@siem.example",
  });
  expect(bad.map((problem) => problem.path)).toEqual(["webhooks.0.url", "webhooks.0.secret"]);
  expect(JSON.stringify([problems, bad])).not.toContain("canary");
});

test.each([
  "http://siem.example/hook",
  "ftp://siem.example",
  "https://",
  "https://user:pass@siem.example",
  "siem.example",
  "https://siem.example/a b",
])("webhooks are not sent in the clear or with a login: %s", (url) => {
  expect(problemsOf(webhook.replace("https://siem.example", url), { SIEM_SECRET: secret })).toMatchObject([
    { path: "webhooks.0.url" },
  ]);
});

test.each([
  ["too short", `whsec_${Buffer.alloc(23).toString("base64")}`],
  ["too long", `whsec_${Buffer.alloc(65).toString("base64")}`],
  ["no base64", "whsec_not base64 at all, though it is long enough"],
  ["of the other kind", `whsk_${Buffer.alloc(32).toString("base64")}`],
])("webhooks have a secret as the specification writes it; refused: %s", (_name, bad) => {
  expect(problemsOf(webhook, { SIEM_SECRET: bad })).toMatchObject([{ path: "webhooks.0.secret" }]);
});

test("webhooks have different names, because their cursors are stored by name", () => {
  const one = webhook.slice("webhooks: [".length, -1);
  expect(problemsOf(`webhooks: [${one}, ${one}]`, { SIEM_SECRET: secret })).toMatchObject([
    { path: "webhooks.1.name" },
  ]);
});

test("webhooks on this machine say that private addresses may be called", () => {
  const local = webhook.replace("https://siem.example", "http://127.0.0.1:9000");
  expect(problemsOf(local, { SIEM_SECRET: secret })).toMatchObject([{ path: "webhooks.0.url" }]);
});
