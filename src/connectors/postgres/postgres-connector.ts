import { randomBytes } from "node:crypto";
import type { PostgresSettings } from "../../core/values/connector-settings.ts";
import { actionOf } from "../../core/values/scopes.ts";
import { actionsOn, servedScopes } from "../../core/values/connector-settings.ts";
import type { Connector, RunningSystem, TargetSpec } from "../../service/ports/connector.ts";
import { acquireUnlessAborted } from "../../service/targets/call-timeout.ts";
import type { ServerPorts } from "../shared/connector-ports.ts";
import type { Owner } from "../shared/label.ts";
import { checkPostgres } from "./check.ts";
import { openPostgres, type PostgresServer } from "./server.ts";
import { openRole, provisionRole } from "./provision-role.ts";
import { listRoles } from "./list-roles.ts";
import { roleName } from "./roles.ts";
import { takeBackRole } from "./take-back-role.ts";
import { scramVerifier } from "./scram.ts";
import { shellWord } from "../shared/shell-word.ts";

/** 192 bits. base64url needs no escaping in a shell, a URL or psql. */
const passwordBytes = 24;

/**
 * Creates a login role per grant, as a member of the groups of its actions. Every change of a role is one transaction,
 * so a crash leaves it unchanged or fully changed. Tests replace `server` to cut connections.
 */
export function createPostgresConnector(
  settings: PostgresSettings,
  { instance, now, mutex }: ServerPorts,
  server: PostgresServer = openPostgres(settings.name, settings.url),
): Connector {
  const { name, kind } = settings;
  const owner: Owner = { instance, connector: name };
  const place = placeOf(settings);
  const withLock = async <T>(
    { grantId }: Pick<TargetSpec, "grantId">,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    const release = await acquireUnlessAborted(
      mutex.acquire(`${serverOf(settings.url)} ${name} ${grantId}`),
      signal,
    );
    try {
      return await work();
    } finally {
      release();
    }
  };
  return {
    name,
    kind,
    place: serverOf(settings.url),
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      const roles = served.flatMap((scope) => settings.actions[actionOf(scope)]?.roles ?? []);
      return served.length === 0 ? undefined : { scopes: served, rights: { roles: [...new Set(roles)] } };
    },
    actionsOn: (resource) => actionsOn(settings, resource),
    objectOf: (grantId) => roleName(owner, grantId),
    provision: (spec, signal) => withLock(spec, signal, () => provisionRole(server, owner, spec, signal)),
    async issue(spec, { expiresAt }, signal) {
      const password = randomBytes(passwordBytes).toString("base64url");
      const until = { ...spec, notAfter: expiresAt };
      const username = await withLock(spec, signal, () =>
        openRole(server, owner, until, scramVerifier(password), signal),
      );
      return {
        connector: name,
        kind,
        where: `${place.host}:${place.port}/${place.database}`,
        username,
        secret: password,
        expiresAt,
        command: `psql -h ${shellWord(place.host)} -p ${place.port} -U ${shellWord(username)} ${shellWord(place.database)}`,
      };
    },
    takeBack: (object, signal) =>
      withLock(object, signal, () => takeBackRole(server, owner, object, settings.leftoversOwner, signal)),
    listManaged: (signal) => server.use("sessions", signal, (sql) => listRoles(sql, owner)),
    check: (signal) => checkPostgres(server, settings, now, signal),
    system: (signal) =>
      server.use("sessions", signal, async (sql) => {
        const [row] = await sql.query<RunningSystem>(
          `SELECT extract(epoch FROM pg_postmaster_start_time())::text AS instance,
                  NOT pg_is_in_recovery() AS "isWritable"`,
        );
        return row ?? { instance: "", isWritable: false };
      }),
    close: () => server.close(),
  };
}

function placeOf({ url, address }: PostgresSettings) {
  const { hostname, port, pathname, username } = new URL(url);
  const shown = address === undefined ? undefined : new URL(`postgres://${address}`);
  return {
    host: withoutBrackets(shown?.hostname ?? hostname),
    port: (shown?.port ?? port) || "5432",
    database: decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username),
  };
}

/** Roles belong to the whole server, whichever database we connect to. */
function serverOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || "5432"}`;
}

/** Removes the brackets of an IPv6 address in a URL. */
function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
