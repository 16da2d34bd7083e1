import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Client, DatabaseError, Pool, type ClientConfig, type PoolClient, type QueryResultRow } from "pg";
import { postgresFault } from "./postgres-fault.ts";

/** One connection, for as long as a piece of work needs it. */
export interface Sql {
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/**
 * What a connection is used for. Each lane has connections of its own: take-backs that wait for a lock leave those of
 * claims free, and sessions can be ended while a take-back waits.
 */
export type Lane = "claims" | "take-backs" | "sessions";

/** A PostgreSQL server, seen from the broker's own database. Whatever fails is thrown as a ConnectorFault. */
export interface PostgresServer {
  readonly use: <T>(lane: Lane, signal: AbortSignal, work: (sql: Sql) => Promise<T>) => Promise<T>;
  /** In another database of the server, over a connection of its own. */
  readonly useIn: <T>(database: string, signal: AbortSignal, work: (sql: Sql) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

const connectionsMax: { readonly [lane in Lane]: number } = { claims: 4, "take-backs": 4, sessions: 2 };
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 20_000;
const idleMs = 30_000;

/**
 * Whoever may create functions in a schema on the search path could have one of theirs run in place of the server's,
 * with the broker's rights. So nothing is looked for outside of the server's own schema.
 */
const pinSearchPath = "SET search_path = pg_catalog, pg_temp";

/** Connects when first used. */
export function openPostgres(name: string, url: string): PostgresServer {
  const config: ClientConfig = {
    connectionString: url,
    application_name: "jit-access",
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // Above the server's own limit: it counts when the server does not answer at all.
    query_timeout: statementTimeoutMs + connectTimeoutMs,
    keepAlive: true,
  };
  const pools: { readonly [lane in Lane]: Pool } = {
    claims: createPool(config, connectionsMax.claims),
    "take-backs": createPool(config, connectionsMax["take-backs"]),
    sessions: createPool(config, connectionsMax.sessions),
  };

  return {
    use: (lane, signal, work) =>
      guarded(name, signal, (onReply) => pooled(pools[lane], signal, trackReplies(work, onReply))),
    useIn: (database, signal, work) =>
      guarded(name, signal, (onReply) =>
        alone({ ...config, ...locate(url, database) }, signal, trackReplies(work, onReply)),
      ),
    close: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

function createPool(config: ClientConfig, max: number): Pool {
  const pool = new Pool({ ...config, max, idleTimeoutMillis: idleMs, allowExitOnIdle: true });
  // A connection that dies while it lies in the pool says so here, and the process would end for want of a listener.
  pool.on("error", ignore);
  // Sent before anything else on the connection. If it fails, so does what follows.
  pool.on("connect", (client) => void client.query(pinSearchPath).catch(ignore));
  return pool;
}

/** Of two places that name the database, the driver believes the one in the url. */
function locate(url: string, database: string): ClientConfig {
  const there = new URL(url);
  there.pathname = `/${encodeURIComponent(database)}`;
  return { connectionString: there.href };
}

/** A server that has answered is not down, however long the rest takes: others need not wait for this work. */
async function guarded<T>(
  name: string,
  signal: AbortSignal,
  attempt: (onReply: () => void) => Promise<T>,
): Promise<T> {
  let hasAnswered = false;
  try {
    signal.throwIfAborted();
    return await attempt(() => {
      hasAnswered = true;
    });
  } catch (error) {
    throw postgresFault(name, error, { isTimeUp: signal.aborted, hasAnswered });
  }
}

/** The same work; `noticed` is called at each answer. */
function trackReplies<T>(work: (sql: Sql) => Promise<T>, onReply: () => void): (sql: Sql) => Promise<T> {
  return (sql) =>
    work({
      query: async <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => {
        const rows = await sql.query<Row>(text, values);
        onReply();
        return rows;
      },
    });
}

async function pooled<T>(pool: Pool, signal: AbortSignal, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await unlessAborted(signal, pool.connect(), (late) => late.release(true));
  let isReleased = false;
  const release = (isBroken: boolean): void => {
    if (!isReleased) client.release(isBroken);
    isReleased = true;
  };
  const stop = (): void => release(true);
  signal.addEventListener("abort", stop, { once: true });
  client.on("error", ignore);
  try {
    signal.throwIfAborted();
    const result = await work(sqlOf(client));
    release(false);
    return result;
  } finally {
    signal.removeEventListener("abort", stop);
    client.removeListener("error", ignore);
    // Whatever was begun on a connection that failed ends with it.
    release(true);
  }
}

async function alone<T>(
  config: ClientConfig,
  signal: AbortSignal,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const client = new Client(config);
  client.on("error", ignore);
  const stop = (): void => void client.end().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    await client.query(pinSearchPath);
    return await work(sqlOf(client));
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
}

/** Does not wait for what nobody waits for any more; when it comes all the same, it is discarded. */
async function unlessAborted<T>(
  signal: AbortSignal,
  coming: Promise<T>,
  discard: (late: T) => void,
): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new Error("aborted"));
      coming.then(discard, ignore);
    };
    signal.addEventListener("abort", stop, { once: true });
    coming.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function ignore(): void {}

function sqlOf(client: Client | PoolClient): Sql {
  return {
    query: async <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) =>
      (await client.query<Row>(text, values === undefined ? undefined : [...values])).rows,
  };
}

/**
 * All of it or nothing; a failure inside leaves nothing behind. Roles and rights of a whole server stand in a few rows,
 * which PostgreSQL does not queue for: who meets somebody else there starts again, so `work` may run several times.
 *
 * @param lockTimeoutMs How long one lock is waited for: a granted role may hold it for as long as it is connected.
 */
export async function inTransaction<T>(sql: Sql, lockTimeoutMs: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await sql.query("BEGIN");
    try {
      await sql.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
      const result = await work();
      await sql.query("COMMIT");
      return result;
    } catch (error) {
      await sql.query("ROLLBACK").catch(ignore);
      if (attempt >= attemptsMax || !isConcurrencyError(error)) throw error;
      await pause(randomInt(attemptPauseMaxMs));
    }
  }
}

const attemptsMax = 10;
const attemptPauseMaxMs = 100;

/** Tuple concurrently updated, two of the same at once, serialisation, deadlock. */
function isConcurrencyError(error: unknown): boolean {
  return error instanceof DatabaseError && /^(XX000|23505|40001|40P01)$/.test(error.code ?? "");
}
