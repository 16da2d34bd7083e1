import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { programVersion } from "../../src/core/values/program-version.ts";
import { autoBelow, manyCalls, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { sharedProgram } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const sizeMax = 5_000_000;

/** A Node 20 of this machine, beside the one that npm ci brings. */
const node20 = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .find((node) => existsSync(node) && versionOf(node).startsWith("v20."));
const reason = node20 === undefined ? " (skipped: there is no Node 20 on the path)" : "";

function versionOf(node: string): string {
  return spawnSync(node, ["--version"], { encoding: "utf8" }).stdout;
}

const program = sharedProgram({
  config: { identities: staff, policies: [autoBelow("dev:")] },
  env: manyCalls,
});

describe("the package that npm run pack:cli makes", () => {
  let installed = "";
  const file = join(root, `dist/jit-cli-${programVersion}.tgz`);
  beforeAll(() => {
    execFileSync("npm", ["run", "--silent", "pack:cli"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    installed = temporaryFolder();
    // Without a registry, so that the package must need nothing else.
    const offline = ["--offline", "--no-audit", "--no-fund", "--registry", "http://127.0.0.1:9"];
    execFileSync("npm", ["i", "-g", "--prefix", installed, ...offline, file], { cwd: "/", stdio: "ignore" });
  }, 60_000);

  /** The installed `jit`, run by this Node, with nothing in its environment but what is given. */
  function jit(node: string, args: readonly string[], environment: Record<string, string> = {}) {
    const run = spawnSync(node, [join(installed, "bin/jit"), ...args], {
      encoding: "utf8",
      cwd: installed,
      env: { PATH: process.env["PATH"], ...environment },
    });
    return { code: run.status, out: run.stdout, err: run.stderr };
  }

  test("is one small file that depends on nothing and says its Node and its version", () => {
    expect(statSync(file).size).toBeLessThan(sizeMax);
    const folder = join(installed, "lib/node_modules/jit-cli");
    expect(readdirSync(folder).toSorted()).toEqual(["LICENSE", "jit.mjs", "package.json"]);
    expect(statSync(join(folder, "jit.mjs")).size).toBeLessThan(sizeMax);
    const made = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(made).toMatchObject({ name: "jit-cli", version: programVersion, engines: { node: ">=20.11" } });
    expect(Object.keys(made)).not.toContain("dependencies");
    expect(statSync(join(installed, "bin/jit")).mode & 0o111).not.toBe(0);
  });

  const nodes = [
    { name: "the Node of the service", node: process.execPath },
    { name: `Node 20${reason}`, node: node20 ?? "" },
  ];
  describe.each(nodes)("on $name", ({ node }) => {
    test.skipIf(node === "")("does what jit does in the clone", async () => {
      expect(jit(node, ["--version"])).toEqual({ code: 0, out: `${programVersion}\n`, err: "" });
      const check = jit(node, ["policy", "check", join(root, "jit.example.yaml")]);
      expect({ code: check.code, err: check.err }).toEqual({ code: 0, err: "" });
      const zip = ["manifest", "teams", "--app-id", "11111111-1111-4111-8111-111111111111"];
      expect(jit(node, [...zip, "--url", "https://jit.company.com", "--out", "teams.zip"]).code).toBe(0);
      expect(readFileSync(join(installed, "teams.zip")).length).toBeGreaterThan(1_000);
      expect(jit(node, ["keys", "admin"]).out).toMatch(/^kd_live_[0-9A-Za-z]{36}\n$/);
      expect(jit(node, ["nonsense"]).code).toBe(2);

      const dev = await program().person("dev");
      const environment = { JIT_URL: program().address, JIT_KEY: dev.key };
      expect(jit(node, ["whoami"], environment).out).toContain("id_dev");
      const ask = ["--scope", "read:dev:packed", "--for", "10m", "--reason", "packed"];
      const run = jit(node, ["run", ...ask, "--", "sh", "-c", "echo $JIT_REQUEST; exit 3"], environment);
      expect(run).toMatchObject({ code: 3, out: expect.stringMatching(/^jit_\w+\n$/) });
      expect(jit(node, ["list", "--mine"], environment).out).toContain("COMPLETED");
      expect(jit(node, ["whoami"], { ...environment, JIT_URL: "not an address" })).toMatchObject({
        code: 2,
        err: expect.stringContaining("JIT_URL must be the address of the service"),
      });
    });
  });
});

test("the service's own package, installed globally, says what to do", () => {
  const folder = join(temporaryFolder(), "node_modules/jit-access");
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "src/cli", "src/core"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const run = spawnSync(process.execPath, [join(folder, "src/cli/jit.mjs"), "--version"], {
    encoding: "utf8",
  });
  expect(run).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringMatching(/^jit: [^\n]+npm run pack:cli[^\n]+\(usage\)\n$/),
  });
});
