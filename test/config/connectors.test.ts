import { describe, expect, test } from "vitest";
import { readConfigFile, readConfigInSlices } from "../../src/config/config-file.ts";
import { finish } from "../../src/core/values/sliced-work.ts";

const environment = {
  ORDERS_DB: "postgres://broker:canary@db.example/orders",
  CACHE: "rediss://broker:canary@cache.example:6380",
  HOOK: `whsec_${Buffer.alloc(32, "canary").toString("base64")}`,
};

const postgres =
  '{ name: orders-db, kind: postgres, url: env:ORDERS_DB, resources: ["prod:orders-db"], actions: { read: { roles: [orders_read] } } }';
const ssh =
  '{ name: hosts, kind: ssh, caKeyFile: /etc/jit/ca, krlFile: /etc/jit/revoked, hosts: ["*.example"], resources: ["prod:hosts"], actions: { login: { principals: [web] } } }';
const redis =
  '{ name: cache, kind: redis, url: env:CACHE, resources: ["prod:cache"], actions: { read: { keys: ["orders:*"], commands: ["+@read", "-@dangerous"] } } }';
const webhook =
  '{ name: app, kind: webhook, url: "https://app.example/jit", secret: env:HOOK, resources: ["prod:app"], actions: { use: {} } }';

function read(connectors: readonly string[], given: Record<string, string> = environment) {
  const outcome = readConfigFile(
    `connectors:\n${connectors.map((one) => `  - ${one}\n`).join("")}`,
    "jit.yaml",
    given,
  );
  return "ok" in outcome ? { connectors: outcome.ok.connectors } : { problems: outcome.problems };
}

function problemsOf(connectors: readonly string[], given?: Record<string, string>): readonly string[] {
  return (read(connectors, given).problems ?? []).map(({ path, message }) => `${path}: ${message}`);
}

test("every kind is read, with its secrets and defaults", () => {
  expect(read([postgres, ssh, redis, webhook]).connectors).toEqual([
    {
      name: "orders-db",
      kind: "postgres",
      url: environment.ORDERS_DB,
      leftoversOwner: "jit_leftovers",
      resources: ["prod:orders-db"],
      actions: { read: { roles: ["orders_read"] } },
    },
    {
      name: "hosts",
      kind: "ssh",
      caKeyFile: "/etc/jit/ca",
      krlFile: "/etc/jit/revoked",
      hosts: ["*.example"],
      resources: ["prod:hosts"],
      actions: { login: { principals: ["web"] } },
    },
    {
      name: "cache",
      kind: "redis",
      url: environment.CACHE,
      aclSave: false,
      resources: ["prod:cache"],
      actions: { read: { keys: ["orders:*"], channels: [], commands: ["+@read", "-@dangerous"] } },
    },
    {
      name: "app",
      kind: "webhook",
      url: "https://app.example/jit",
      secret: environment.HOOK,
      allowPrivate: false,
      resources: ["prod:app"],
      actions: { use: { rights: [] } },
    },
  ]);
});

describe("a scope that two connectors serve is refused", () => {
  test("at the second connector, naming scope and first connector", () => {
    const second = postgres
      .replace("name: orders-db", "name: again")
      .replace('["prod', '["prod:other", "prod');
    expect(problemsOf([postgres, second])).toEqual([
      "connectors.1.resources.1: read:prod:orders-db is already served by orders-db (connectors.0)",
    ]);
  });

  test("but two connectors may serve one resource for different actions", () => {
    const second = postgres.replace("name: orders-db", "name: again").replace("read:", "write:");
    expect(problemsOf([postgres, second])).toEqual([]);
  });

  test("a name or a revocation list can be used once", () => {
    const other = ssh.replaceAll("prod:hosts", "dev:hosts");
    expect(problemsOf([ssh, other])).toEqual([
      "connectors.1.name: is already the name of connectors.0",
      "connectors.1.krlFile: is already written by connectors.0",
    ]);
  });
});

const wrong: [string, string, string][] = [
  ["a kind that is not known", postgres.replace("kind: postgres", "kind: oracle"), "connectors.0.kind"],
  [
    "a secret in the file",
    postgres.replace("env:ORDERS_DB", '"postgres://a:canary@b/c"'),
    "connectors.0.url",
  ],
  ["a field of another kind", postgres.replace("url:", "krlFile: /x, url:"), "connectors.0.krlFile"],
  ["no action", postgres.replace("{ read: { roles: [orders_read] } }", "{}"), "connectors.0.actions"],
  ["no role", postgres.replace("[orders_read]", "[]"), "connectors.0.actions.read.roles"],
  [
    "a role's name that would be cut",
    postgres.replace("orders_read", "ä".repeat(32)),
    "connectors.0.actions.read.roles.0",
  ],
  [
    "a resource that no scope can have",
    postgres.replace("prod:orders-db", "prod orders"),
    "connectors.0.resources.0",
  ],
  ["a file by a relative path", ssh.replace("/etc/jit/ca", "ca"), "connectors.0.caKeyFile"],
  [
    "a principal that would be two",
    ssh.replace("[web]", '["web,root"]'),
    "connectors.0.actions.login.principals.0",
  ],
  [
    "a range that is none",
    ssh.replace("hosts:", "sourceAddress: [10.0.0.0/33], hosts:"),
    "connectors.0.sourceAddress.0",
  ],
  [
    "a command of two lines",
    ssh.replace("hosts:", 'forceCommand: "a\\nb", hosts:'),
    "connectors.0.forceCommand",
  ],
  [
    "a pattern that would be two rules",
    redis.replace("orders:*", "a +@all"),
    "connectors.0.actions.read.keys.0",
  ],
  ["everything", redis.replace("+@read", "+@all"), "connectors.0.actions.read.commands.0"],
  [
    "a command that gives everything",
    redis.replace("+@read", "+acl|setuser"),
    "connectors.0.actions.read.commands.0",
  ],
  [
    "a category that reaches every key",
    redis.replace('"+@read", "-@dangerous"', '"+get", "+@slow"'),
    "connectors.0.actions.read.commands.1",
  ],
  ["a rule in capitals", redis.replace("+@read", "+GET"), "connectors.0.actions.read.commands.0"],
  ["a receiver without TLS", webhook.replace("https:", "http:"), "connectors.0.url"],
];

describe("invalid values are refused at their position", () => {
  test.each(wrong)("%s", (_, connector, path) => {
    const found = read([connector]).problems ?? [];
    expect(found.map((problem) => problem.path)).toEqual([path]);
    expect(JSON.stringify(found)).not.toContain("canary");
  });
});

describe("the value of a variable is checked, and never repeated", () => {
  test("a missing variable refuses the file, except for a connector in use, where it is reported", () => {
    const text = `connectors:\n  - ${postgres}\n  - ${webhook}\n`;
    const outcome = finish(readConfigInSlices(text, "jit.yaml", {}, new Set(["orders-db", "app"])));
    if (!("ok" in outcome)) throw new Error(JSON.stringify(outcome.problems));
    expect([...outcome.ok.unusableConnectors]).toEqual([
      ["orders-db", "the environment variable ORDERS_DB is not set"],
      ["app", "the environment variable HOOK is not set"],
    ]);
    expect(outcome.ok.connectors.map((one) => "url" in one && new URL(one.url).hostname)).toEqual([
      "unset.invalid",
      "unset.invalid",
    ]);
    const strict = finish(readConfigInSlices(text, "jit.yaml", {}, new Set(["app"])));
    expect("problems" in strict && strict.problems.map(({ path }) => path)).toEqual(["connectors.0.url"]);
  });

  test("a variable that is not set is named", () => {
    expect(problemsOf([postgres, webhook], {})).toEqual([
      "connectors.0.url: the environment variable ORDERS_DB is not set",
      "connectors.1.secret: the environment variable HOOK is not set",
    ]);
  });

  test.each([
    [postgres, { ORDERS_DB: "mysql://a:canary@b/c" }],
    [postgres, { ORDERS_DB: "canary" }],
    [redis, { CACHE: "http://canary" }],
    [webhook, { HOOK: "canary" }],
    [webhook, { HOOK: "whsec_canary" }],
    [webhook, { HOOK: `whsec_${"canary".repeat(30)}` }],
    [
      webhook.replace('"https://app.example/jit"', "env:URL"),
      { ...environment, URL: "http://canary.example" },
    ],
  ])("%s with %o", (connector, given) => {
    const found = problemsOf([connector], given);
    expect(found).toEqual([expect.stringMatching(/the environment variable [A-Z_]+ must hold /)]);
    expect(found.join()).not.toContain("canary");
  });

  test("http is accepted where private addresses are allowed", () => {
    const inside = webhook
      .replace("https://app.example", "http://10.0.0.1")
      .replace("secret:", "allowPrivate: true, secret:");
    const byVariable = inside.replace('"http://10.0.0.1/jit"', "env:URL");
    expect(problemsOf([byVariable], { ...environment, URL: "http://10.0.0.1/jit" })).toEqual([]);
  });
});
