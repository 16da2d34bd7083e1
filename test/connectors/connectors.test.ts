import { expect, test } from "vitest";
import { createKeyedMutex } from "../../src/service/async/keyed-mutex.ts";
import { createConnectors } from "../../src/connectors/connectors.ts";
import { instant, makeId } from "../../src/core/values/ids.ts";
import type { ConnectorSettings } from "../../src/core/values/connector-settings.ts";
import { parseScope } from "../../src/core/values/scopes.ts";
import { webhookSecret } from "./support/webhook-harness.ts";

const shared = { resources: ["prod:orders-db"] };
const configured: readonly ConnectorSettings[] = [
  {
    ...shared,
    kind: "postgres",
    name: "db",
    url: "postgres://broker@db.invalid/orders",
    leftoversOwner: "jit_leftovers",
    actions: { read: { roles: ["one"] }, write: { roles: ["one", "two"] } },
  },
  {
    ...shared,
    kind: "ssh",
    name: "hosts",
    caKeyFile: "/nowhere/ca",
    krlFile: "/nowhere/krl",
    hosts: ["*"],
    sourceAddress: ["10.0.0.0/8"],
    actions: { read: { principals: ["one"] }, write: { principals: ["two"] } },
  },
  {
    ...shared,
    kind: "redis",
    name: "cache",
    url: "redis://cache.invalid",
    aclSave: false,
    actions: {
      read: { keys: ["a"], channels: [], commands: ["+@read"] },
      write: { keys: [], channels: ["b"], commands: ["+publish"] },
    },
  },
  {
    ...shared,
    kind: "webhook",
    name: "app",
    url: "https://app.invalid",
    secret: webhookSecret,
    allowPrivate: false,
    actions: { read: { rights: [] }, write: { rights: ["w"] } },
  },
];

const ports = { instance: "ours", now: () => instant(0), mutex: createKeyedMutex() };
const scopesOf = (...texts: readonly string[]) => texts.flatMap((text) => parseScope(text) ?? []);

test("each entry gets one connector, by name, without connecting", async () => {
  const connectors = await createConnectors(configured, ports);
  expect([...connectors].map(([name, connector]) => [name, connector.name, connector.kind])).toEqual(
    configured.map(({ name, kind }) => [name, name, kind]),
  );
  for (const connector of connectors.values()) await connector.close();
});

test("a connector serves the scopes of its resources and actions, with their rights", async () => {
  const connectors = await createConnectors(configured, ports);
  const asked = scopesOf(
    "read:prod:orders-db",
    "write:prod:orders-db",
    "read:prod:orders",
    "delete:prod:orders-db",
  );
  expect([...connectors.values()].map((connector) => connector.serves(asked)?.rights)).toEqual([
    { roles: ["one", "two"] },
    { principals: ["one", "two"], sourceAddress: ["10.0.0.0/8"] },
    {
      read: ["~a", "-@all", "+@read", "-@admin", "-@scripting"],
      write: ["&b", "-@all", "+publish", "-@admin", "-@scripting"],
    },
    { rights: ["w"] },
  ]);
  for (const connector of connectors.values()) {
    expect(connector.serves(asked)?.scopes).toEqual(scopesOf("read:prod:orders-db", "write:prod:orders-db"));
    expect(connector.serves(scopesOf("read:prod:orders", "constructor:prod:orders-db"))).toBeUndefined();
  }
});

test("a connector lists the actions of its resources, and none for others", async () => {
  for (const connector of (await createConnectors(configured, ports)).values()) {
    const actions = connector.actionsOn("prod:orders-db");
    expect(actions.toSorted()).toEqual(["read", "write"]);
    for (const action of actions) {
      expect(connector.serves(scopesOf(`${action}:prod:orders-db`))).toBeDefined();
    }
    expect(connector.actionsOn("prod:orders")).toEqual([]);
  }
});

test("object names depend on grant and connector only, and contain only safe characters", async () => {
  const connectors = [...(await createConnectors(configured, ports)).values()];
  const again = [...(await createConnectors(configured, { ...ports, now: () => instant(1) })).values()];
  for (const tail of ["a", "Z-_9".repeat(16)]) {
    const names = connectors.map((connector) => connector.objectOf(makeId("grant", tail)));
    expect(again.map((connector) => connector.objectOf(makeId("grant", tail)))).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^jit[_:][A-Za-z0-9_-]{1,59}$/);
  }
});

test("each connector names its place without secrets, and only SSH needs a public key", async () => {
  const secretive = configured.map((one) =>
    "url" in one ? { ...one, url: one.url.replace("://", "://broker:sesame@") } : one,
  );
  const connectors = [...(await createConnectors(secretive, ports)).values()];
  expect(
    connectors.map(({ name, place, needsSshPublicKey }) => [name, place, needsSshPublicKey ?? false]),
  ).toEqual([
    ["db", "db.invalid:5432", false],
    ["hosts", "/nowhere/krl, certificates of /nowhere/ca", true],
    ["cache", "cache.invalid:6379", false],
    ["app", "https://app.invalid/", false],
  ]);
});

test("a reload keeps connectors with unchanged settings and recreates the others", async () => {
  const before = await createConnectors(configured, ports);
  const changed = configured.map((one) =>
    one.name === "cache" ? { ...one, url: "redis://other.invalid" } : one,
  );
  const after = await createConnectors(structuredClone(changed), ports, before);
  const kept = [...after].filter(([name, connector]) => before.get(name) === connector).map(([name]) => name);
  expect(kept).toEqual(["db", "hosts", "app"]);
});
