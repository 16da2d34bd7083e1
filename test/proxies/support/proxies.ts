import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { keepTrackOf, killed, temporaryFolder } from "../../support/leftover-processes.ts";
import { until } from "../../support/program.ts";
import { freePort, isListening } from "./ports.ts";

const snippets = resolve(import.meta.dirname, "../../../docs/proxies");

/** Where the shipped snippet's three addresses lead in a test. */
export interface Ports {
  readonly check: number;
  readonly upstream: number;
}

export interface Proxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** A proxy that can be run here, with what surrounds its snippet in a whole configuration. */
export interface ProxyKind {
  readonly name: string;
  readonly isInstalled: boolean;
  /** What it may say while it cannot be told whether the scope is held. */
  readonly closed: readonly number[];
  start(ports: Ports): Promise<Proxy>;
}

const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;

function isThere(command: string, flag: string): boolean {
  return spawnSync(command, [flag], { env: { PATH: path } }).error === undefined;
}

export const nginx: ProxyKind = {
  name: "nginx",
  isInstalled: isThere("nginx", "-v"),
  closed: [503],
  async start(ports) {
    const folder = temporaryFolder();
    const port = await freePort();
    const snippet = withPorts("nginx.conf", [
      ["listen 8080;", `listen 127.0.0.1:${port};`],
      ["server 127.0.0.1:3000;", `server 127.0.0.1:${ports.check};`],
      ["server 127.0.0.1:9000;", `server 127.0.0.1:${ports.upstream};`],
    ]);
    const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    // One process without a master, so that killing it ends everything.
    const main = [
      "daemon off;",
      "master_process off;",
      `pid ${folder}/pid;`,
      `error_log ${folder}/error.log;`,
    ];
    const whole = [...main, "events {}", "http {", ...kept, "access_log off;", snippet, "}"].join("\n");
    writeFileSync(join(folder, "nginx.conf"), whole);
    return run(
      "nginx",
      ["-p", folder, "-e", `${folder}/error.log`, "-c", join(folder, "nginx.conf")],
      folder,
      port,
    );
  },
};

export const caddy: ProxyKind = {
  name: "Caddy",
  isInstalled: isThere("caddy", "version"),
  // 502 and 504 of its own, and otherwise what it was told.
  closed: [502, 504, 500, 503, 302, 404],
  async start(ports) {
    const folder = temporaryFolder();
    const port = await freePort();
    const snippet = withPorts("Caddyfile", [
      ["\n:8080 {", `\nhttp://127.0.0.1:${port} {`],
      ["forward_auth 127.0.0.1:3000", `forward_auth 127.0.0.1:${ports.check}`],
      ["reverse_proxy 127.0.0.1:9000", `reverse_proxy 127.0.0.1:${ports.upstream}`],
    ]);
    const file = join(folder, "Caddyfile");
    writeFileSync(file, `{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\n\n${snippet}`);
    return run("caddy", ["run", "--config", file, "--adapter", "caddyfile"], folder, port);
  },
};

/** The shipped text with only its addresses replaced; each of them must occur. */
function withPorts(file: string, addresses: readonly (readonly [shipped: string, here: string])[]): string {
  return addresses.reduce(
    (text, [shipped, here]) => {
      if (!text.includes(shipped)) throw new Error(`${file} has no "${shipped}"`);
      return text.replaceAll(shipped, here);
    },
    readFileSync(join(snippets, file), "utf8"),
  );
}

async function run(command: string, args: readonly string[], folder: string, port: number): Promise<Proxy> {
  const home = join(folder, "home");
  mkdirSync(home);
  const env = { PATH: path, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
  const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  keepTrackOf(child);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await until(async () => child.exitCode !== null || (await isListening(port)));
  if (child.exitCode !== null) throw new Error(`${command} did not start:\n${said}`);
  return { port, stop: () => killed(child) };
}
