import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";
import { createRedisConnector } from "../../../src/connectors/redis/redis-connector.ts";
import type { RedisServer, Send } from "../../../src/connectors/redis/server.ts";
import type { RedisSettings } from "../../../src/core/values/connector-settings.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import { keepTrackOf, killed, temporaryFolder } from "../../support/leftover-processes.ts";
import { until } from "../../support/program.ts";
import { freePort, isListening } from "../../proxies/support/ports.ts";
import type { TargetKind, ConnectorHarness, TargetSession } from "./connector-harness.ts";

/** Why Redis cannot run on this machine: it is missing or too old. */
export const missingRedis: string | undefined = whyNot();

/** Exactly the rights that a broker needs, as in docs/connectors/redis.md. */
export const brokerRules =
  "on >broker-password resetkeys resetchannels -@all +acl|setuser +acl|deluser +acl|list +acl|whoami +acl|cat +client|kill +info +time";

export interface RedisHarness extends ConnectorHarness {
  readonly settings: RedisSettings;
  readonly run: Send;
  readonly with: (more: Partial<RedisSettings>, server?: RedisServer) => Connector;
  readonly enter: (username: string, password: string) => Promise<Send | undefined>;
  readonly url: (username: string, password: string) => string;
  readonly restart: () => Promise<void>;
  /** The content of the aclfile. */
  readonly savedUsers: () => string;
}

/** Without an aclfile, as after an installation, the default user needs no password. */
export async function openRedisHarness({ hasAclFile = true } = {}): Promise<RedisHarness> {
  const folder = temporaryFolder();
  const port = await freePort();
  writeFileSync(join(folder, "users.acl"), "user default on >admin ~* &* +@all\n");
  const startServer = () => start(folder, port, hasAclFile ? ["--aclfile", `${folder}/users.acl`] : []);
  let child = await startServer();
  const url = (username: string, password: string): string =>
    `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
  const clients: { destroy: () => void; isOpen: boolean }[] = [];
  const enter = async (username: string, password: string): Promise<Send | undefined> => {
    const client = createClient({
      url: url(username, password),
      RESP: 2,
      disableClientInfo: true,
      socket: { reconnectStrategy: false },
    });
    client.on("error", () => {});
    try {
      await client.connect();
    } catch {
      return undefined;
    }
    clients.push(client);
    return (...command) => client.sendCommand<unknown>(command);
  };
  const run: Send = async (...command) => {
    const admin = await enter("default", "admin");
    return admin?.(...command);
  };
  await run("ACL", "SETUSER", "broker", ...brokerRules.split(" "));
  await run("SET", "orders:1", "one order");
  await run("SET", "secrets:1", "a secret");
  const settings: RedisSettings = {
    kind: "redis",
    name: "orders-cache",
    url: url("broker", "broker-password"),
    aclSave: false,
    resources: ["prod:orders-db"],
    actions: {
      read: { keys: ["orders:*"], channels: [], commands: ["+@read", "-@dangerous"] },
      write: { keys: ["drafts:*"], channels: ["drafts"], commands: ["+@write", "+publish", "-@dangerous"] },
    },
  };
  const ports = (instance = "ours") => ({ instance, now: () => instant(Date.now()) });
  const setUser =
    (...rules: readonly string[]) =>
    async (object: string) =>
      void (await run("ACL", "SETUSER", object, ...rules));
  return {
    settings,
    run,
    enter,
    url,
    with: (more, server) => createRedisConnector({ ...settings, ...more }, ports(), server),
    connector: async ({ name = settings.name, instance } = {}) =>
      createRedisConnector({ ...settings, name }, ports(instance)),
    at: (to) => createRedisConnector({ ...settings, url: `redis://b:x@127.0.0.1:${to}` }, ports()),
    unreachable: async () =>
      createRedisConnector({ ...settings, url: `redis://broker:x@127.0.0.1:${await freePort()}` }, ports()),
    openSession: async ({ username, secret }): Promise<TargetSession | undefined> => {
      const send = await enter(username, secret ?? "");
      return (
        send && { reads: () => reads(send), close: async () => void (await send("QUIT").catch(() => {})) }
      );
    },
    makeForeign: async (object) =>
      void (await run("ACL", "SETUSER", object, "on", ">theirs", "~*", "+@read")),
    hasForeignObject: async (object) =>
      ((await run("ACL", "LIST")) as string[]).some((line) => line.startsWith(`user ${object} on `)),
    tampering: [
      { what: "more commands", byHand: setUser("+@all"), reported: /may do was changed/ },
      { what: "more keys", byHand: setUser("(~* +get)"), reported: /may do was changed/ },
      { what: "another password", byHand: setUser(">theirs"), reported: /Another password was added/ },
      { what: "no password", byHand: setUser("nopass"), reported: /opened without a password/ },
    ],
    drop: async (object) => void (await run("ACL", "DELUSER", object)),
    savedUsers: () => readFileSync(join(folder, "users.acl"), "utf8"),
    restart: async () => {
      await killed(child);
      child = await startServer();
    },
    stop: async () => {
      for (const client of clients) if (client.isOpen) client.destroy();
      await killed(child);
    },
  };
}

export async function reads(send: Send): Promise<boolean> {
  try {
    return (await send("GET", "orders:1")) === "one order";
  } catch {
    return false;
  }
}

async function start(folder: string, port: number, more: readonly string[]) {
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", ...more];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  keepTrackOf(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await until(async () => child.exitCode !== null || (await isListening(port)));
  if (child.exitCode !== null) throw new Error(`redis-server did not start:\n${output}`);
  return child;
}

function whyNot(): string | undefined {
  const { error, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (error !== undefined) return "redis-server is not installed";
  return Number(/v=(\d+)/.exec(stdout)?.[1]) >= 7 ? undefined : "redis-server is older than 7";
}

export function redisKind(): TargetKind {
  return {
    name: "Redis",
    ...(missingRedis !== undefined && { missing: missingRedis }),
    start: () => openRedisHarness(),
    hasForeign: true,
    endsSessions: true,
  };
}
