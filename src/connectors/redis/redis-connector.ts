import { randomBytes } from "node:crypto";
import { actionsOn, servedScopes, type RedisSettings } from "../../core/values/connector-settings.ts";
import { actionOf } from "../../core/values/scopes.ts";
import { alwaysRemoved } from "../../core/values/redis-commands.ts";
import type { Connector, ListedObject, TargetSpec } from "../../service/ports/connector.ts";
import type { ConnectorPorts } from "../shared/connector-ports.ts";
import { objectName, sha256Hex, type Label, type Owner } from "../shared/label.ts";
import { withoutUnsafe } from "./command-categories.ts";
import { checkRedis } from "./check.ts";
import { openRedis, type RedisServer, type Send } from "./server.ts";
import { assertSingleRules, findUser, findUsers, userRules, type FoundUser } from "./users.ts";
import { shellWord } from "../shared/shell-word.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** 192 bits. */
const passwordBytes = 24;

/** Creates an ACL user per grant. Tests replace `server` to cut connections. */
export function createRedisConnector(
  settings: RedisSettings,
  { instance, now }: ConnectorPorts,
  server: RedisServer = openRedis(settings.name, settings.url),
): Connector {
  const { name, kind, aclSave } = settings;
  const owner: Owner = { instance, connector: name };
  const place = new URL(settings.address === undefined ? settings.url : `redis://${settings.address}`);
  const port = place.port || "6379";
  const isEncrypted = settings.url.startsWith("rediss:");
  const save = async (send: Send): Promise<void> => {
    if (aclSave) await send("ACL", "SAVE");
  };

  return {
    name,
    kind,
    place: serverOf(settings.url),
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      return served.length === 0 ? undefined : { scopes: served, rights: rightsOf(settings, served) };
    },
    actionsOn: (resource) => actionsOn(settings, resource),
    objectOf: (grantId) => objectName("jit:", name, grantId),
    provision: (spec, signal) =>
      server.use(signal, async (send) => {
        await provision(send, owner, spec);
        await save(send);
      }),
    async issue(spec, { expiresAt }, signal) {
      const password = randomBytes(passwordBytes).toString("base64url");
      await server.use(signal, async (send) => {
        await enableUser(send, owner, { ...spec, notAfter: expiresAt }, sha256Hex(password));
        await save(send);
      });
      const tls = isEncrypted ? " --tls" : "";
      return {
        connector: name,
        kind,
        where: `${place.hostname}:${port}`,
        username: spec.object,
        secret: password,
        expiresAt,
        command: `redis-cli -h ${shellWord(place.hostname)} -p ${port}${tls} --user ${shellWord(spec.object)} --askpass`,
      };
    },
    takeBack: ({ object }, signal) =>
      server.use(signal, async (send) => {
        // Deleting a user also closes its connections.
        if ((await findUser(send, owner, object)) !== undefined) await send("ACL", "DELUSER", object);
        await save(send);
      }),
    listManaged: (signal) => server.use(signal, async (send) => (await findUsers(send, owner)).map(listed)),
    check: (signal) => server.use(signal, (send) => checkRedis(send, settings, now)),
    system: (signal) =>
      server.use(signal, async (send) => {
        const info = String(await send("INFO"));
        return {
          instance: /^run_id:(\S+)/m.exec(info)?.[1] ?? "",
          isWritable: /^role:master\b/m.test(info),
        };
      }),
    close: async () => {},
  };
}

function serverOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || "6379"}`;
}

/** Each action is a selector of its own, so that the commands of one cannot be used on the keys of another. */
function rightsOf({ actions }: RedisSettings, served: TargetSpec["scopes"]): TargetSpec["rights"] {
  return Object.fromEntries(
    [...new Set(served.map(actionOf))].map((action) => {
      const { keys = [], channels = [], commands = [] } = actions[action] ?? {};
      return [
        action,
        [
          ...keys.map((key) => `~${key}`),
          ...channels.map((channel) => `&${channel}`),
          "-@all",
          ...commands,
          ...alwaysRemoved,
        ],
      ];
    }),
  );
}

async function provision(send: Send, owner: Owner, spec: TargetSpec): Promise<void> {
  const { object } = spec;
  assertSingleRules(owner, spec.rights);
  const rights = await withoutUnsafe(send, owner.connector, spec.rights);
  await findUser(send, owner, object);
  await send("ACL", "SETUSER", object, ...userRules(owner, rights, labelOf(spec)));
  // Redis rewrites rules. A digest of its version goes into the label, to detect changes later.
  const created = await findUser(send, owner, object);
  await send("ACL", "SETUSER", object, ...userRules(owner, rights, labelOf(spec, created?.digest)));
}

async function enableUser(send: Send, owner: Owner, spec: TargetSpec, passwordHash: string): Promise<void> {
  const { object, rights } = spec;
  const found = await findUser(send, owner, object);
  if (found === undefined) {
    throw explainedFault("refused", owner.connector, `the user ${object} does not exist`, {
      retryable: false,
    });
  }
  assertSingleRules(owner, rights);
  const limited = await withoutUnsafe(send, owner.connector, rights);
  const rules = userRules(owner, limited, labelOf(spec, found.label.given?.[0]));
  await send("ACL", "SETUSER", object, "on", "resetpass", `#${passwordHash}`, ...rules);
  // Connections that used an earlier password are closed.
  await send("CLIENT", "KILL", "USER", object);
}

function labelOf({ grantId, notAfter }: TargetSpec, digest?: string): Label {
  return { grantId, notAfter, given: digest === undefined ? [] : [digest] };
}

function listed({ object, label, digest, isOpenToAll, passwords }: FoundUser): ListedObject {
  const { grantId, notAfter, given } = label;
  const expected = given?.[0];
  const drift = [
    ...(isOpenToAll ? ["It was opened without a password."] : []),
    ...(passwords > 1 ? ["Another password was added."] : []),
    ...(!isOpenToAll && expected !== undefined && expected !== digest ? ["What it may do was changed."] : []),
  ];
  return { object, grantId, notAfter, drift };
}
