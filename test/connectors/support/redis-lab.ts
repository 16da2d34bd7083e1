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
import type { Kind, ConnectorHarness, Visitor } from "./lab.ts";

/** Why no Redis can be run here: too old is as good as none. */
export const missingRedis: string | undefined = whyNot();

/** Everything a broker needs and nothing beyond, as docs/connectors/redis.md says. */
export const brokerRules =
  "on >broker-password resetkeys resetchannels -@all +acl|setuser +acl|deluser +acl|list +acl|whoami +acl|cat +client|kill +info +time";

export interface RedisHarness extends ConnectorHarness {
  readonly settings: RedisSettings;
  readonly run: Send;
  readonly with: (more: Partial<RedisSettings>, server?: RedisServer) => Connector;
  readonly enter: (username: string, password: string) => Promise<Send | undefined>;
  readonly url: (username: string, password: string) => string;
  readonly restart: () => Promise<void>;
  /** The server's aclfile, as it is on disk. */
  readonly savedUsers: () => string;
}

/** Without an aclfile, as Redis is installed, the default user needs no password. */
export async function openRedisHarness({ hasAclFile = true } = {}): Promise<RedisHarness> {
  const folder = temporaryFolder();
  const port = await freePort();
  writeFileSync(join(folder, "users.acl"), "user default on >admin ~* &* +@all\n");
  const startIt = () => start(folder, port, hasAclFile ? ["--aclfile", `${folder}/users.acl`] : []);
  let child = await startIt();
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
    at: (silent) => createRedisConnector({ ...settings, url: `redis://b:x@127.0.0.1:${silent}` }, ports()),
    unreachable: async () =>
      createRedisConnector({ ...settings, url: `redis://broker:x@127.0.0.1:${await freePort()}` }, ports()),
    visit: async ({ username, secret }): Promise<Visitor | undefined> => {
      const send = await enter(username, secret ?? "");
      return (
        send && { reads: () => reads(send), leave: async () => void (await send("QUIT").catch(() => {})) }
      );
    },
    makeForeign: async (object) =>
      void (await run("ACL", "SETUSER", object, "on", ">theirs", "~*", "+@read")),
    isForeignThere: async (object) =>
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
      child = await startIt();
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
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(async () => child.exitCode !== null || (await isListening(port)));
  if (child.exitCode !== null) throw new Error(`redis-server did not start:\n${said}`);
  return child;
}

function whyNot(): string | undefined {
  const { error, stdout } = spawnSync("redis-server", ["--version"], { encoding: "utf8" });
  if (error !== undefined) return "redis-server is not installed";
  return Number(/v=(\d+)/.exec(stdout)?.[1]) >= 7 ? undefined : "redis-server is older than 7";
}

export function redisKind(): Kind {
  return {
    name: "Redis",
    ...(missingRedis !== undefined && { missing: missingRedis }),
    start: () => openRedisHarness(),
    hasForeign: true,
    endsSessions: true,
  };
}
