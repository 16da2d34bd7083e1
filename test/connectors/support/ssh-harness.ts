import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { createSshConnector } from "../../../src/connectors/ssh/ssh-connector.ts";
import type { SshSettings } from "../../../src/core/values/connector-settings.ts";
import { instant } from "../../../src/core/values/ids.ts";
import type { Connector, IssuedTarget } from "../../../src/service/ports/connector.ts";
import { keepTrackOf, killed, temporaryFolder } from "../../support/leftover-processes.ts";
import { pause, until } from "../../support/program.ts";
import { freePort, isListening } from "../../proxies/support/ports.ts";
import type { TargetKind, ConnectorHarness, TargetSession } from "./connector-harness.ts";

const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;
const sshd = path
  .split(":")
  .map((folder) => `${folder}/sshd`)
  .find((file) => existsSync(file));

/** Why sshd cannot run on this machine. */
export const missingSshd: string | undefined =
  sshd === undefined ? "sshd is not installed" : hasKeygen() ? undefined : "ssh-keygen is not installed";

export function hasKeygen(): boolean {
  return spawnSync("ssh-keygen", ["-?"], { env: { PATH: path } }).error === undefined;
}

export function keygen(...args: readonly string[]): {
  readonly status: number | null;
  readonly output: string;
} {
  const { status, stdout, stderr } = spawnSync("ssh-keygen", args, { encoding: "utf8", env: { PATH: path } });
  return { status, output: stdout + stderr };
}

/** Creates a key pair in this file. @returns the line of its public key. */
export function newKey(file: string, type = "ed25519", bits?: string): string {
  const { status, output } = keygen(
    "-q",
    "-t",
    type,
    ...(bits === undefined ? [] : ["-b", bits]),
    "-N",
    "",
    "-f",
    file,
  );
  if (status !== 0) throw new Error(output);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

export interface SshHarness extends ConnectorHarness {
  readonly settings: SshSettings;
  readonly sshPublicKey: string;
  /** Runs one command with the certificate. @returns its output; undefined: the certificate was rejected. */
  readonly run: (issued: IssuedTarget, command?: string) => string | undefined;
  readonly openShell: (issued: IssuedTarget) => Promise<TargetSession | undefined>;
  readonly with: (more: Partial<SshSettings>) => Connector;
}

const principal = "orders-read";
const account = userInfo().username;

/** The shipped script, as a hook runs it on a host. */
export const sessionEnder = resolve(import.meta.dirname, "../../../docs/connectors/end-ssh-sessions");

export async function openSshHarness(): Promise<SshHarness> {
  const folder = temporaryFolder();
  const inFolder = (name: string): string => join(folder, name);
  const caLine = newKey(inFolder("ca"));
  const sshPublicKey = newKey(inFolder("user"));
  newKey(inFolder("host"));
  writeFileSync(inFolder("ca.pub"), `${caLine}\n`);
  writeFileSync(inFolder("principals"), `${principal}\n`);
  writeFileSync(inFolder("orders"), "one order\n", { mode: 0o644 });
  mkdirSync(inFolder("krl"));
  const settings: SshSettings = {
    kind: "ssh",
    name: "orders-host",
    caKeyFile: inFolder("ca"),
    krlFile: inFolder("krl/revoked"),
    hosts: ["127.0.0.1"],
    user: account,
    resources: ["prod:orders-db"],
    actions: { read: { principals: [principal] } },
  };
  const ports = (instance = "ours") => ({ instance, now: () => instant(Date.now()) });
  const port = await freePort();
  const server = await startSshd(folder, port);
  let sessions = 0;
  const argumentsFor = (issued: IssuedTarget): string[] => {
    const certificate = inFolder(`session-${sessions++}-cert.pub`);
    writeFileSync(certificate, `${issued.secret}\n`, { mode: 0o600 });
    const options = [
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "IdentityAgent=none",
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "LogLevel=ERROR",
      `CertificateFile=${certificate}`,
    ];
    return [
      "-F",
      "none",
      ...options.flatMap((option) => ["-o", option]),
      "-i",
      inFolder("user"),
      "-p",
      String(port),
      `${account}@127.0.0.1`,
    ];
  };
  const run = (issued: IssuedTarget, command = `cat ${inFolder("orders")}`): string | undefined => {
    const { status, stdout } = spawnSync("ssh", [...argumentsFor(issued), command], {
      encoding: "utf8",
      env: { PATH: path },
    });
    return status === 0 ? stdout : undefined;
  };
  const openShell = (issued: IssuedTarget) => openShellWith(argumentsFor(issued), inFolder("orders"));
  return {
    settings,
    sshPublicKey,
    run,
    openShell,
    with: (more) => createSshConnector({ ...settings, ...more }, ports()),
    connector: async ({ name = settings.name, instance } = {}) =>
      createSshConnector(
        {
          ...settings,
          name,
          ...((name !== settings.name || instance !== undefined) && {
            krlFile: inFolder(`krl/${name}-${instance}`),
          }),
        },
        ports(instance),
      ),
    unreachable: async () =>
      createSshConnector({ ...settings, krlFile: inFolder("not-mounted/revoked") }, ports()),
    openSession: openShell,
    makeForeign: async () => {},
    hasForeignObject: async () => true,
    tampering: [
      {
        what: "the list removed",
        byHand: async () => rmSync(settings.krlFile),
        reported: /revocation list is missing/,
      },
      {
        what: "the list emptied",
        byHand: async () => writeFileSync(settings.krlFile, ""),
        reported: /revocation list is missing/,
      },
    ],
    stop: () => killed(server),
  };
}

async function startSshd(folder: string, port: number): Promise<ChildProcess> {
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${folder}/host`,
    `PidFile ${folder}/pid`,
    `TrustedUserCAKeys ${folder}/ca.pub`,
    `AuthorizedPrincipalsFile ${folder}/principals`,
    `RevokedKeys ${folder}/krl/revoked`,
    "AuthenticationMethods publickey",
    "AuthorizedKeysFile none",
    "PermitRootLogin yes",
    "ExposeAuthInfo yes",
    "StrictModes no",
    "UsePAM no",
    "LogLevel VERBOSE",
  ];
  writeFileSync(`${folder}/sshd_config`, `${lines.join("\n")}\n`);
  chmodSync(folder, 0o755);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const child = spawn(sshd ?? "sshd", ["-D", "-e", "-f", `${folder}/sshd_config`], {
    env: { PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  keepTrackOf(child);
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  await until(async () => child.exitCode !== null || (await isListening(port)));
  if (child.exitCode !== null) throw new Error(`sshd did not start:\n${output}`);
  return child;
}

/** Opens a shell. */
async function openShellWith(args: readonly string[], file: string): Promise<TargetSession | undefined> {
  const child = spawn("ssh", [...args, "sh"], { env: { PATH: path }, stdio: ["pipe", "pipe", "ignore"] });
  keepTrackOf(child);
  let output = "";
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const replies = async (line: string, answer: RegExp): Promise<boolean> => {
    output = "";
    child.stdin.write(`${line}\n`);
    for (let waited = 0; waited < 5_000 && child.exitCode === null && !answer.test(output); waited += 10)
      await pause(10);
    return answer.test(output);
  };
  if (!(await replies("echo in", /in\n/))) {
    await killed(child);
    return undefined;
  }
  return { reads: () => replies(`cat ${file}`, /one order/), close: () => killed(child) };
}

export function sshKind(): TargetKind & { readonly harness: () => Promise<SshHarness> } {
  return {
    name: "sshd with certificates",
    ...(missingSshd !== undefined && { missing: missingSshd }),
    start: openSshHarness,
    harness: openSshHarness,
    hasForeign: false,
    endsSessions: false,
  };
}
