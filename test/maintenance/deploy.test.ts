import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { environmentNames } from "../../src/config/environment.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
/** `node --import … src/main.ts`, as `npm start` runs it. */
const start = (scripts["start"] ?? "").replace(/^exec /, "");
const reload = (scripts["reload"] ?? "").replace(/^exec /, "");

describe("the systemd unit", () => {
  const unit = read("deploy/jit-access.service");
  const settings = unit.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === "" ? [] : [{ name, value }];
  });
  const valueOf = (wanted: string): string | undefined => settings.find(({ name }) => name === wanted)?.value;

  test("runs what npm start and npm run reload run, without a shell", () => {
    const node = `${valueOf("WorkingDirectory")}/node_modules/.bin/node`;
    expect(valueOf("ExecStart")).toBe(start.replace(/^node/, node));
    expect(valueOf("ExecReload")).toBe(reload.replace(/^node/, node));
  });

  test("allows time for a clean stop, and restarts after a crash", () => {
    expect(Number(valueOf("TimeoutStopSec"))).toBeGreaterThan(10);
    expect(valueOf("Restart")).toBe("on-failure");
  });

  test("may write to its own private folder only", () => {
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

  test("omits options that Node does not tolerate, and says why", () => {
    expect(valueOf("MemoryDenyWriteExecute")).toBeUndefined();
    expect(unit).toContain("# Not MemoryDenyWriteExecute=: ");
    expect(valueOf("RestrictAddressFamilies")).toContain("AF_NETLINK");
  });

  test("sets only existing variables", () => {
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
