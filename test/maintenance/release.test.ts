import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const script = resolve(import.meta.dirname, "../../deploy/release.ts");
const entry = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-03-01\n\n### Added\n\n- A thing.\n";

let folder: string;
let home: string;
beforeEach(() => {
  folder = temporaryFolder();
  home = temporaryFolder();
  run("git", ["init", "--quiet", "--initial-branch=main"]);
  run("git", ["config", "user.name", "Ann"]);
  run("git", ["config", "user.email", "ann@company.com"]);
  run("git", ["config", "commit.gpgsign", "false"]);
  run("git", ["config", "tag.gpgsign", "false"]);
  write("package.json", manifest("1.2.0"));
  write("package-lock.json", { version: "1.2.0", packages: { "": { version: "1.2.0" } } });
  write("CHANGELOG.md", entry);
  commit();
});

describe("npm run release", () => {
  test("tags the version of a clean main branch after check and test have passed", () => {
    const released = release();
    expect(released).toMatchObject({ code: 0, err: "" });
    expect(released.out).toMatch(
      /checked\n[^]*tested\n[^]*Tagged v1\.2\.0\. To publish it: git push origin main v1\.2\.0\n$/,
    );
    expect(tags()).toBe("v1.2.0");
    expect(run("git", ["cat-file", "-t", "v1.2.0"]).out).toBe("tag\n");
    expect(run("git", ["rev-parse", "v1.2.0^{commit}"]).out).toBe(run("git", ["rev-parse", "HEAD"]).out);
  });

  test("tags nothing with --dry-run, but checks", () => {
    const tried = release("--dry-run");
    expect(tried).toMatchObject({ code: 0, err: "" });
    expect(tried.out).toMatch(/checked\n[^]*tested\n[^]*v1\.2\.0 would be tagged/);
    expect(tags()).toBe("");
  });

  test("reports all obstacles at once", () => {
    run("git", ["switch", "--quiet", "--create", "other"]);
    run("git", ["tag", "v1.3.0"]);
    write("package.json", manifest("1.3.0"));
    const { code, err } = release();
    expect(code).toBe(1);
    expect(err).toContain("The branch is other. Switch to main.");
    expect(err).toContain("The working tree has changes.");
    expect(err).toContain("package-lock.json has another version than package.json (1.3.0).");
    expect(err).toContain("The tag v1.3.0 exists.");
    expect(err).toContain('The latest entry of CHANGELOG.md must be "## [1.3.0] - YYYY-MM-DD".');
  });

  test.each([
    ["a file that git does not know", () => write("left.txt", "x"), "The working tree has changes"],
    ["a version that is none", () => bump("1.2"), '"1.2" is no version such as 1.2.3'],
    ["a changelog without the version", () => changelog(entry.replace("1.2.0", "1.1.0")), "The latest entry"],
    ["an entry without a date", () => changelog(entry.replace(" - 2026-03-01", "")), "The latest entry"],
    [
      "an entry that is not the latest",
      () => changelog(entry.replace("## [1.2.0]", "## [1.3.0] - 2026-04-01\n\n- X.\n\n## [1.2.0]")),
      "The latest entry",
    ],
    ["an empty entry", () => changelog(entry.replace("- A thing.\n", "")), "is empty. Say what has changed."],
    ["an unknown argument", () => undefined, "unknown argument --force"],
  ])("refuses %s, and runs nothing", (what, spoil, problem) => {
    spoil();
    const { code, out, err } = release(...(what === "an unknown argument" ? ["--force"] : []));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(problem);
    expect(tags()).toBe("");
  });

  test.each(["check", "test"])("tags nothing when npm run %s fails", (failing) => {
    write("package.json", {
      ...manifest("1.2.0"),
      scripts: { ...manifest("1.2.0").scripts, [failing]: "exit 3" },
    });
    commit();
    const { code, err } = release();
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`npm (run )?${failing} failed\\. Nothing was tagged\\.`));
    expect(tags()).toBe("");
  });

  test("tags nothing when the tests change the working tree", () => {
    write("package.json", { ...manifest("1.2.0"), scripts: { check: "exit 0", test: "echo x > left.txt" } });
    commit();
    const { code, err } = release();
    expect(code).toBe(1);
    expect(err).toContain("changed while the tests ran");
    expect(tags()).toBe("");
  });
});

function manifest(version: string) {
  return { name: "own", version, scripts: { check: "echo checked", test: "echo tested" } };
}

function bump(version: string): void {
  write("package.json", manifest(version));
  write("package-lock.json", { version, packages: { "": { version } } });
  changelog(entry.replace("1.2.0", version));
}

function changelog(text: string): void {
  write("CHANGELOG.md", text);
  commit();
}

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
}

function commit(): void {
  run("git", ["add", "--all"]);
  run("git", ["commit", "--quiet", "--message", "own: change something"]);
}

function tags(): string {
  return run("git", ["tag", "--list"]).out.trim();
}

function release(...args: readonly string[]) {
  return run(process.execPath, [script, ...args]);
}

function run(command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, [...args], {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      GIT_CONFIG_NOSYSTEM: "1",
      npm_config_update_notifier: "false",
    },
  });
  return { code: status, out: stdout, err: stderr };
}
