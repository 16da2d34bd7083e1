import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { environmentNames } from "../../src/config/environment.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/left-behind.ts";
import { startProgram } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
/** `node --import … src/main.ts`, as `npm start` runs it. */
const start = (scripts["start"] ?? "").replace(/^exec /, "");

describe("the Dockerfile", () => {
  const lines = read("Dockerfile")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const all = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const jsonAfter = (text: string | undefined): string[] =>
    JSON.parse(/\[.*\]$/.exec(text ?? "")?.[0] ?? "[]");
  const final = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  const copied = all("COPY")
    .filter((copy) => !copy.startsWith("--from"))
    .flatMap((copy) => copy.split(" ").slice(0, -1));

  test("copies what is there and not kept out of the build", () => {
    const allowed = read(".dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    expect(read(".dockerignore").split("\n")[0]).toBe("*");
    expect([...new Set(copied.map((file) => file.replace("./", "")))].toSorted()).toEqual(allowed.toSorted());
    expect(copied.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test("runs Node 24 without a shell, as npm start does, so that signals arrive", () => {
    expect(all("FROM").every((image) => image.startsWith("node:24-bookworm-slim"))).toBe(true);
    expect(jsonAfter(all("CMD")[0]).join(" ")).toBe(start);
    expect(all("ENTRYPOINT")).toEqual([]);
  });

  test("runs as nobody special, with the data in a volume that is theirs alone", () => {
    expect(final).toContain("USER 1000:1000");
    expect(final).toContain("VOLUME /data");
    expect(final).toContain("RUN install -d -o node -g node -m 0700 /data");
    expect(final.indexOf("USER 1000:1000")).toBeGreaterThan(
      final.findLastIndex((line) => line.startsWith("RUN ")),
    );
  });

  test("sets only settings that are there, and wants a configuration of its own", () => {
    const settings = Object.fromEntries(
      all("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("="))),
    );
    const names = Object.keys(settings);
    expect(names.filter((name) => !environmentNames.some((one) => one === name))).toEqual([]);
    expect(settings).toMatchObject({ HOST: "0.0.0.0", DATABASE_URL: "file:/data/jit.db" });
    expect(settings).toHaveProperty("JIT_CONFIG");
  });

  test("asks after the service's health, and believes a no", async () => {
    const [health] = lines.filter((line) => line.includes("/healthz"));
    const [command, ...args] = jsonAfter(health);
    expect(command).toBe("node");
    const program = await startProgram();
    const ask = () => {
      const env = { PORT: new URL(program.address).port };
      return spawnSync(process.execPath, args, { env }).status;
    };
    expect(ask()).toBe(0);
    await program.stop();
    expect(ask()).toBe(1);
  });
});

describe("the systemd unit", () => {
  const unit = read("deploy/jit-access.service");
  const settings = unit.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === "" ? [] : [{ name, value }];
  });
  const valueOf = (wanted: string): string | undefined => settings.find(({ name }) => name === wanted)?.value;

  test("runs what npm start runs, without a shell", () => {
    expect(valueOf("ExecStart")).toBe(
      start.replace(/^node/, `${valueOf("WorkingDirectory")}/node_modules/.bin/node`),
    );
    expect(valueOf("ExecReload")).toBe("/bin/kill -HUP $MAINPID");
  });

  test("gives a clean stop its time, and a crash a new start", () => {
    expect(Number(valueOf("TimeoutStopSec"))).toBeGreaterThan(10);
    expect(valueOf("Restart")).toBe("on-failure");
  });

  test("may write to its own folder only, which nobody else sees", () => {
    expect(settings).toEqual(
      expect.arrayContaining([
        { name: "StateDirectory", value: "jit-access" },
        { name: "StateDirectoryMode", value: "0700" },
        { name: "ProtectSystem", value: "strict" },
        { name: "NoNewPrivileges", value: "yes" },
        { name: "CapabilityBoundingSet", value: "" },
        { name: "SystemCallFilter", value: "@system-service" },
      ]),
    );
    expect(valueOf("ReadWritePaths")).toBeUndefined();
    expect(valueOf("User")).toBe("jit-access");
  });

  test("leaves out what Node cannot live with, and says why", () => {
    expect(valueOf("MemoryDenyWriteExecute")).toBeUndefined();
    expect(unit).toContain("# Not MemoryDenyWriteExecute=: ");
    expect(valueOf("RestrictAddressFamilies")).toContain("AF_NETLINK");
  });

  test("sets only settings that are there", () => {
    const named = settings.flatMap(({ name, value }) =>
      name === "Environment" ? [value.split("=")[0]] : [],
    );
    expect(named.filter((name) => !environmentNames.some((one) => one === name))).toEqual([]);
  });

  const analyzer = "systemd-analyze";
  const isThere = spawnSync(analyzer, ["--version"]).error === undefined;
  const reason = isThere ? "" : " (skipped: systemd-analyze is not installed)";
  test.skipIf(!isThere)(`is understood by systemd, down to the last word${reason}`, () => {
    const file = join(temporaryFolder(), "jit-access.service");
    const { username } = userInfo();
    const here = unit
      .replaceAll("/opt/jit-access", root)
      .replace("\nUser=jit-access", `\nUser=${username}`)
      .replace("\nGroup=jit-access\n", "\n");
    writeFileSync(file, here);
    const said = spawnSync(analyzer, ["verify", file], { encoding: "utf8" });
    expect({
      status: said.status,
      about: said.stderr.split("\n").filter((line) => line.includes(file)),
    }).toEqual({
      status: 0,
      about: [],
    });
  });
});
