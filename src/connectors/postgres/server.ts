import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Client, DatabaseError, Pool, type ClientConfig, type PoolClient, type QueryResultRow } from "pg";
import { postgresFault } from "./postgres-fault.ts";

/** A connection, for the duration of one job. */
export interface Sql {
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
}

/**
 * What a connection is used for. Each purpose has its own pool, so that claims get a connection while take-backs wait
 * for locks, and sessions can be ended while a take-back waits.
 */
export type PoolName = "claims" | "take-backs" | "sessions";

/** A PostgreSQL server, through the database of the broker's url. Every error is thrown as a ConnectorFault. */
export interface PostgresServer {
  readonly use: <T>(pool: PoolName, signal: AbortSignal, work: (sql: Sql) => Promise<T>) => Promise<T>;
  /** Runs in another database of the server, over a separate connection. */
  readonly useIn: <T>(database: string, signal: AbortSignal, work: (sql: Sql) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

const connectionsMax: { readonly [name in PoolName]: number } = { claims: 4, "take-backs": 4, sessions: 2 };
const connectTimeoutMs = 5_000;
const statementTimeoutMs = 20_000;
const idleMs = 30_000;

/**
 * Restricts the search path to the server's own schema. Otherwise anyone who can create functions in another schema on
 * the path could shadow a system function and run code with the rights of the broker.
 */
const pinSearchPath = "SET search_path = pg_catalog, pg_temp";

/** Connects on first use. */
export function openPostgres(name: string, url: string): PostgresServer {
  const config: ClientConfig = {
    connectionString: url,
    application_name: "jit-access",
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // Longer than the server's own limit: for a server that does not answer at all.
    query_timeout: statementTimeoutMs + connectTimeoutMs,
    keepAlive: true,
  };
  const pools: { readonly [name in PoolName]: Pool } = {
    claims: createPool(config, connectionsMax.claims),
    "take-backs": createPool(config, connectionsMax["take-backs"]),
    sessions: createPool(config, connectionsMax.sessions),
  };

  return {
    use: (pool, signal, work) =>
      guarded(name, signal, (onReply) =>
        withPooledConnection(pools[pool], signal, trackReplies(work, onReply)),
      ),
    useIn: (database, signal, work) =>
      guarded(name, signal, (onReply) =>
        withOwnConnection({ ...config, ...locate(url, database) }, signal, trackReplies(work, onReply)),
      ),
    close: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

function createPool(config: ClientConfig, max: number): Pool {
  const pool = new Pool({ ...config, max, idleTimeoutMillis: idleMs, allowExitOnIdle: true });
  // An idle connection that breaks emits an error, and without a listener the process would exit.
  pool.on("error", ignore);
  // Sent before any other statement of the connection, which fails too if this one does.
  pool.on("connect", (client) => void client.query(pinSearchPath).catch(ignore));
  return pool;
}

/** The database goes into the url, because there it overrides the driver's `database` option. */
function locate(url: string, database: string): ClientConfig {
  const target = new URL(url);
  target.pathname = `/${encodeURIComponent(database)}`;
  return { connectionString: target.href };
}

/** Notes whether the server has answered: then it is not down, and the circuit breaker stays closed. */
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

/** The same work, with `onReply` called at each reply. */
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

async function withPooledConnection<T>(
  pool: Pool,
  signal: AbortSignal,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
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
    // After a failure the connection is closed, which ends whatever was running on it.
    release(true);
  }
}

async function withOwnConnection<T>(
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

/** Stops waiting when the signal aborts. A result that arrives later is discarded. */
async function unlessAborted<T>(
  signal: AbortSignal,
  pending: Promise<T>,
  discard: (late: T) => void,
): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new Error("aborted"));
      pending.then(discard, ignore);
    };
    signal.addEventListener("abort", stop, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
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
 * Runs `work` in a transaction. Role changes of the whole server update the same few catalog rows, where PostgreSQL
 * fails on concurrency instead of waiting. Then the transaction is repeated, so `work` may run several times.
 *
 * @param lockTimeoutMs The wait for one lock: a granted role may hold it for as long as it is connected.
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

/** Tuple concurrently updated, unique violation, serialisation failure, deadlock. */
function isConcurrencyError(error: unknown): boolean {
  return error instanceof DatabaseError && /^(XX000|23505|40001|40P01)$/.test(error.code ?? "");
}
